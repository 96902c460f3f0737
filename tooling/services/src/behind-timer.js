/**
 * How much later than a plain timer of `ms`, set at the same moment in the same process, an attempt ends: the best of four.
 * What a busy machine adds, it adds to both.
 * @param {number} ms
 * @param {(round: number) => Promise<unknown>} attempt
 */
export async function behindTimer(ms, attempt) {
  const behind = [];
  for (let round = 0; round < 4; round++) {
    const timer = new Promise((resolve) => setTimeout(() => resolve(performance.now()), ms));
    const attempted = attempt(round).then(() => performance.now());
    const [dueMs, endedMs] = await Promise.all([timer, attempted]);
    behind.push(endedMs - dueMs);
  }
  return Math.min(...behind);
}
