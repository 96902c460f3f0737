/** Waits until something is so, looking each 10 ms, at most `timeoutMs`. For what only the outside world decides. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > deadlineMs) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
