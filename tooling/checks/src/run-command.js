import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

/**
 * Runs a command and resolves with `{ code, output, stdout }`; it never rejects because of an exit code.
 * Both streams are kept in `output` in the order they came. After `timeoutMs` the command is killed and `code` is 124.
 */
export function runCommand(command, args, { cwd, env = {}, timeoutMs = 300_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: binPath(cwd), TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let stdout = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk) => {
      output += chunk;
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: String(error), stdout: '' });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(
        timedOut
          ? { code: 124, output: `${output}\nkilled after ${timeoutMs} ms`, stdout }
          : { code: code ?? 1, output, stdout },
      );
    });
  });
}

/** A check that is a single command: its output is the problem when it exits with anything but 0. */
export async function commandCheck(command, args, options) {
  const { code, output } = await runCommand(command, args, options);
  return { problems: code === 0 ? [] : [output.trim() || `${command} exited with ${code}`] };
}

const binPath = (cwd = process.cwd()) => [join(cwd, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
