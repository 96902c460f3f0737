import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The agent as a process, and what it printed. */
export interface AgentProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when `pattern` was printed on standard output. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
}

/** Starts `dist/main.js` with `args`, after the options of Node. */
export function spawnAgent(args: readonly string[], nodeOptions: readonly string[] = []): AgentProcess {
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(text.stdout);
        if (match !== null) return match;
        const more = await Promise.race([once(child.stdout, 'data').then(() => true), closed.then(() => false)]);
        if (!more) throw new Error(`The agent ended without printing ${pattern}: ${text.stdout}${text.stderr}`);
      }
    },
    async ended() {
      const [code, signal] = await closed;
      return code ?? signal ?? 0;
    },
  };
}
