import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import type { Verdict } from './verdict.ts';

export interface CommandOptions {
  /** Commands of its node_modules/.bin come first. @default the current folder */
  readonly folder?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** After this the command is killed and its code is 124. @default 300_000 */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly code: number;
  /** Both streams, in the order they came. */
  readonly output: string;
  readonly stdout: string;
}

/** Runs a command to its end; it never rejects because of an exit code. A command that cannot be started has code 127. */
export function runCommand(
  command: string,
  args: readonly string[],
  { folder = process.cwd(), env = {}, timeoutMs = 300_000 }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const path = [join(folder, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let stdout = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: String(error), stdout: '' });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (timedOut) resolve({ code: 124, output: `${output}\nkilled after ${timeoutMs} ms`, stdout });
      else resolve({ code: code ?? 1, output, stdout });
    });
  });
}

/** A check that is a single command: its output is the problem when it exits with anything but 0. */
export async function commandVerdict(folder: string, command: string, args: readonly string[]): Promise<Verdict> {
  const { code, output } = await runCommand(command, args, { folder });
  return { problems: code === 0 ? [] : [output.trim() || `${command} exited with ${code}`] };
}
