/**
 * The least of a few rounds of what a busy machine can only add to. The first round under `bound` is the last, so that
 * code which is late each time fails, and a machine that is late now and then does not.
 * @param {number} bound
 * @param {(round: number) => Promise<number>} measure
 */
export async function leastOf(bound, measure) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10 && least >= bound; round++) least = Math.min(least, await measure(round));
  return least;
}

/**
 * How much later than a plain timer of `ms`, set at the same moment in the same process, an attempt ends.
 * @param {number} ms
 * @param {() => Promise<unknown>} attempt
 */
export async function behindTimer(ms, attempt) {
  const timer = new Promise((resolve) => setTimeout(() => resolve(performance.now()), ms));
  const attempted = attempt().then(() => performance.now());
  const [dueMs, endedMs] = await Promise.all([timer, attempted]);
  return endedMs - dueMs;
}

/**
 * How long it takes until something is so: looks each 10 ms.
 * @param {() => boolean | Promise<boolean>} done
 */
export async function msUntil(done) {
  const startedMs = performance.now();
  while (!(await done())) {
    if (performance.now() - startedMs > 60_000) throw new Error('it did not happen within a minute');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startedMs;
}
