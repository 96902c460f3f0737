import type { ConformanceCase } from '../../src/testing/index.ts';

/** The names of the cases that fail. */
export async function failuresOf<S>(cases: readonly ConformanceCase<S>[], subject: S): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of cases) {
    await run(subject).catch(() => failed.push(name));
  }
  return failed;
}
