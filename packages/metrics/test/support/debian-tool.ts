import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, unpackDebianPackages } from '@tooling/services';

export interface Tool {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** A program of a Debian package; or why there is none, which is an error where services are required. */
export async function findTool(
  name: string,
  path: string,
): Promise<{ readonly tool?: Tool; readonly skipped?: string }> {
  try {
    const { root, env } = await unpackDebianPackages([name]);
    return { tool: { path: join(root, path), env: { ...env } } };
  } catch (error) {
    if (process.env['SAGE_REQUIRE_SERVICES'] === '1' || process.env['CI'] === 'true') throw error;
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
}

/** Starts a server on a free port of this machine and waits until it answers over HTTP. */
export async function startTool(
  { path, env }: Tool,
  args: (address: string) => readonly string[],
): Promise<{ readonly url: string } & AsyncDisposable> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(path, args(address), { env: { ...process.env, ...env }, stdio: 'ignore' });
  const exit = once(child, 'exit');
  const url = `http://${address}`;
  const answers = () =>
    fetch(`${url}/metrics`)
      .then(({ ok }) => ok)
      .catch(() => false);
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}.`);
    await delay(20);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exit;
    },
  };
}
