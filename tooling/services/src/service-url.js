// What a test sees of the services: a URL, or the reason why there is none.
import { areRequired } from './sources.js';

/** @typedef {import('./index.d.ts').ServiceName} ServiceName */

/** @type {Readonly<Record<ServiceName, string>>} */
export const urlVariables = { redis: 'REDIS_URL', postgres: 'POSTGRES_URL' };
export const skippedVariable = 'SAGE_SERVICES_SKIPPED';

/** @type {Set<ServiceName>} */
const told = new Set();

/** @type {typeof import('./index.d.ts').serviceUrl} */
export function serviceUrl(name) {
  const url = process.env[urlVariables[name]];
  if (url) return url;
  const line = `${name} skipped: ${skipReason(name)}`;
  if (areRequired()) throw new Error(line);
  if (!told.has(name)) process.stderr.write(`${line}\n`);
  told.add(name);
  return undefined;
}

/** @type {typeof import('./index.d.ts').describeWithService} */
export function describeWithService(name, title, tests) {
  /** @type {{ describe: ((title: string, tests: () => void) => void) & { skip: (title: string, tests: () => void) => void } }} */
  const { describe } = /** @type {never} */ (globalThis);
  const url = serviceUrl(name);
  if (url === undefined)
    describe.skip(`${title} (skipped: ${skipReason(name)})`, () => tests(`${name}://skipped.invalid`));
  else describe(title, () => tests(url));
}

/**
 * The variable that tells tests why: one line for each service, "redis: reason".
 * @param {ReadonlyMap<ServiceName, string>} reasons
 * @returns {string}
 */
export function formatSkipped(reasons) {
  return [...reasons].map(([name, reason]) => `${name}: ${reason}`).join('\n');
}

/** @type {(name: ServiceName) => string} */
function skipReason(name) {
  const lines = (process.env[skippedVariable] ?? '').split('\n');
  const reason = lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return reason ?? `${urlVariables[name]} is not set; run the tests under with-services`;
}
