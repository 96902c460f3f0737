import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Runs a file of numbers in a process of its own: what one variant taught the compiler must not help or hurt the next.
 *
 * @returns the JSON that the file printed.
 */
export async function inOwnProcess<T>(file: URL, args: readonly string[] = []): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--disable-warning=ExperimentalWarning', fileURLToPath(file), ...args],
    {
      env: { ...process.env, NODE_ENV: 'production' },
      timeout: 300_000,
      maxBuffer: 2 ** 24,
    },
  );
  return JSON.parse(stdout) as T;
}
