// Commands that run to their end.
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { atExit } from './at-exit.js';
import { killTree } from './process-tree.js';

/**
 * Runs a command to its end and returns what it wrote to stdout.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Readonly<Record<string, string | undefined>>, folder?: string, owner?: import('./folders.js').Owner | undefined, timeoutMs?: number }} [options]
 * @returns {Promise<string>}
 * @throws Error with the last line it wrote, when it fails or takes longer than `timeoutMs` (60 s).
 */
export function run(command, args, { env = process.env, folder, owner, timeoutMs = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { env, cwd: folder, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024, ...owner },
      (error, stdout, stderr) => {
        forget();
        if (!error) return resolve(stdout);
        const said = error.killed
          ? `took longer than ${timeoutMs / 1000} s`
          : lastLine(stderr) || lastLine(stdout) || error.message;
        return reject(new Error(`${basename(command)}: ${said}`, { cause: error }));
      },
    );
    const forget = atExit(() => killTree(child.pid));
  });
}

/**
 * The full path of a program on the PATH.
 * @param {string} name
 * @returns {string | undefined}
 */
export function onPath(name) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/**
 * The last line of a text that holds something.
 * @param {string} text
 * @returns {string}
 */
export function lastLine(text) {
  return (
    text
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
