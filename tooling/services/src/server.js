// A server that was started, whatever it is: ready when its probe says so, and the same handle for all of them.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLine } from './commands.js';

/**
 * @typedef {object} ServerPlan
 * @property {string} version
 * @property {string} from
 * @property {string} logFile
 * @property {() => Promise<number>} pickPort
 * @property {(port: number) => string} url
 * @property {(port: number) => import('./launch.js').Running} launch
 * @property {(port: number, pid: number | undefined) => Promise<boolean>} probe Whether this very process answers, and not another that took the port.
 * @property {() => void | Promise<void>} remove Removes what it kept.
 */

/** How long a server may take until it answers; on a machine that has much else to do, too. */
const readyMs = 30_000;

/**
 * Starts a server and waits until it answers.
 * @param {ServerPlan} plan
 * @returns {Promise<import('./index.d.ts').Server>}
 * @throws Error with the last line of its log when it does not answer within 30 s.
 */
export async function startServer(plan) {
  const first = await untilReady(plan, plan.pickPort).catch(async (error) => {
    await plan.remove();
    throw error;
  });
  const { port } = first;
  let { running } = first;
  let removed = false;
  const stop = async () => {
    await running.end();
    if (!removed) await plan.remove();
    removed = true;
  };
  return {
    url: plan.url(port),
    port,
    version: plan.version,
    from: plan.from,
    get pid() {
      return running.pid;
    },
    pause: () => running.pause(),
    resume: () => running.resume(),
    kill: () => running.kill(),
    restart: async () => {
      if (removed) throw new Error('The server was stopped and its data removed; start a new one.');
      await running.end();
      ({ running } = await untilReady(plan, async () => port));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * A server that a variable names. It is not ours, so `stop` leaves it alone and the rest is refused.
 * @param {string} variable
 * @param {number} defaultPort
 * @returns {import('./index.d.ts').Server | undefined}
 */
export function namedServer(variable, defaultPort) {
  const url = process.env[variable];
  if (!url) return undefined;
  // The value may hold a password, so it is not shown.
  if (!URL.canParse(url)) throw new TypeError(`${variable} is not a URL such as scheme://host:${defaultPort}`);
  const refuse = async () => {
    throw new Error(`The server is the one ${variable} names and not ours to disturb; start one with { fresh: true }.`);
  };
  const stop = async () => {};
  return {
    url,
    port: Number(new URL(url).port || defaultPort),
    version: undefined,
    from: variable,
    pid: undefined,
    pause: refuse,
    resume: refuse,
    kill: refuse,
    restart: refuse,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Waits until a check holds, asking every 25 ms.
 * @param {() => Promise<boolean>} check An error counts as not yet.
 * @param {string} what For the error.
 * @param {number} [timeoutMs]
 */
export async function eventually(check, what, timeoutMs = readyMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await check().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
    await sleep(25);
  }
}

/**
 * Launches until one stays up and answers. One that ends early is tried again, each time after twice as long: another process
 * may have taken the port, or the children of a killed server are not gone yet.
 * @param {ServerPlan} plan
 * @param {() => Promise<number>} pickPort
 */
async function untilReady(plan, pickPort) {
  const deadline = Date.now() + readyMs;
  for (let attempt = 1; ; attempt += 1) {
    const port = await pickPort();
    const running = plan.launch(port);
    while (running.alive && Date.now() < deadline) {
      if (await plan.probe(port, running.pid)) return { port, running };
      await sleep(25);
    }
    await running.kill();
    if (attempt === 5 || Date.now() >= deadline) {
      throw new Error(
        `${plan.from}: ${lastLine(readFileSync(plan.logFile, 'utf8')) || 'it did not answer within 30 s'}`,
      );
    }
    await sleep(100 * 2 ** attempt);
  }
}
