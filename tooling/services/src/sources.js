// Where a service may come from, in which order, and what a missing one means.

/**
 * Returns what the first source gives that works. SAGE_SERVICES_SOURCES, a list with commas, narrows them; `none` allows none.
 * @template T
 * @param {Readonly<Record<string, (() => Promise<T>) | undefined>>} sources
 * @returns {Promise<T | import('./index.d.ts').Skipped>}
 */
export async function firstThatWorks(sources) {
  const allowed = process.env['SAGE_SERVICES_SOURCES'];
  const reasons = [];
  for (const [name, start] of Object.entries(sources)) {
    if (!start || (allowed && !allowed.split(',').includes(name))) continue;
    try {
      return await start();
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  return { skipped: reasons.join('; ') || `SAGE_SERVICES_SOURCES=${allowed} allows no source` };
}

/** Whether a missing service is an error: SAGE_REQUIRE_SERVICES=1, or CI=true unless SAGE_REQUIRE_SERVICES says 0. */
export function areRequired() {
  return ['1', 'true'].includes(process.env['SAGE_REQUIRE_SERVICES'] || process.env['CI'] || '');
}

/** @type {typeof import('./index.d.ts').started} */
export function started(result) {
  if ('skipped' in result) throw new Error(`No server: ${result.skipped}`);
  return result;
}

/**
 * The message of whatever was thrown, on one line.
 * @param {unknown} error
 * @returns {string}
 */
export function messageOf(error) {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
}
