/** Waits until something is so: looks each 10 ms, so often that a machine with nothing else to do takes `timeoutMs`. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (let looks = 0; !(await done()); looks++) {
    if (looks > timeoutMs / 10) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
