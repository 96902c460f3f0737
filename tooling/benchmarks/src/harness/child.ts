import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How a process of numbers is started. */
export interface ChildOptions {
  /** @default 300_000 */
  readonly timeoutMs?: number;
  /** Of node, besides those that all have. */
  readonly flags?: readonly string[];
}

/**
 * Runs a file of numbers in a process of its own: what one variant taught the compiler must not help or hurt the next.
 *
 * @returns the JSON that the file printed.
 */
export async function inOwnProcess<T>(
  file: URL,
  args: readonly string[] = [],
  { timeoutMs = 300_000, flags = [] }: ChildOptions = {},
): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--disable-warning=ExperimentalWarning', ...flags, fileURLToPath(file), ...args],
    {
      env: { ...process.env, NODE_ENV: 'production' },
      timeout: timeoutMs,
      maxBuffer: 2 ** 24,
    },
  );
  return JSON.parse(stdout) as T;
}

/** Does what is to be done for each item, two at a time as this needs two cores; the results are in the order of the items. */
export async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all([lane(), lane()]);
  return results;
}
