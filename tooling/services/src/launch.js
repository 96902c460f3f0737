// Processes that run on their own and end with their starter, whichever way it ends.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { atExit } from './at-exit.js';
import { onPath } from './commands.js';
import { descendants, killTree, signalAll } from './process-tree.js';

/**
 * @typedef {object} LaunchOptions
 * @property {string} command
 * @property {readonly string[]} args
 * @property {string} folder Where it runs and keeps its data.
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {string} logFile Receives its output.
 * @property {NodeJS.Signals} endSignal What it takes as "finish now".
 * @property {import('./folders.js').Owner} [owner] The user it runs as. Default: ours.
 *
 * @typedef {object} Running
 * @property {number | undefined} pid
 * @property {boolean} alive
 * @property {() => Promise<void>} end Asks it to end, waits 5 s, then kills it.
 * @property {() => Promise<void>} kill
 * @property {() => Promise<void>} pause
 * @property {() => Promise<void>} resume
 */

/** How long a process may take to end before it is killed. */
const endMs = 5_000;

/**
 * Starts a process that runs on its own until it is ended, and no longer than we do.
 * @param {LaunchOptions} options
 * @returns {Running}
 */
export function launch({ command, args, folder, env, logFile, endSignal, owner }) {
  const log = openSync(logFile, 'a');
  const [program = command, ...words] = endingWithUs(endSignal, [command, ...args]);
  const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', log, log], ...owner });
  closeSync(log);
  child.unref();
  let alive = child.pid !== undefined;
  const forget = atExit(() => killTree(child.pid));
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => {
    const over = () => {
      alive = false;
      forget();
      resolve();
    };
    child.once('exit', over);
    child.once('error', over);
  });

  /** @param {(pid: number) => void} act */
  const whileAlive = (act) => {
    if (alive && child.pid !== undefined) act(child.pid);
  };
  const kill = async () => {
    whileAlive(killTree);
    if (alive) await within(exited, endMs);
  };
  const resume = async () => whileAlive((pid) => signalAll([...descendants(pid), pid], 'SIGCONT'));
  return {
    get pid() {
      return child.pid;
    },
    get alive() {
      return alive;
    },
    kill,
    resume,
    // The parent stops first, so that it starts no child meanwhile.
    pause: async () =>
      whileAlive((pid) => {
        signalAll([pid], 'SIGSTOP');
        signalAll(descendants(pid), 'SIGSTOP');
      }),
    end: async () => {
      await resume();
      whileAlive((pid) => signalAll([pid], endSignal));
      if (alive && !(await within(exited, endMs))) await kill();
    },
  };
}

/**
 * Whether a promise settles within a time.
 * @param {Promise<unknown>} promise
 * @param {number} timeoutMs
 * @returns {Promise<boolean>}
 */
export function within(promise, timeoutMs) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    void promise.finally(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** @type {string | undefined} */
let setpriv;

/**
 * On Linux the kernel signals the process when we die, so that even our SIGKILL leaves no server behind.
 * @param {NodeJS.Signals} signal
 * @param {string[]} words
 * @returns {string[]}
 */
function endingWithUs(signal, words) {
  if (setpriv === undefined) {
    const found = process.platform === 'linux' ? onPath('setpriv') : undefined;
    // The one of BusyBox has no such option.
    const able = found !== undefined && spawnSync(found, ['--pdeathsig', 'keep', 'true']).status === 0;
    setpriv = able ? found : '';
  }
  return setpriv === '' ? words : [setpriv, '--pdeathsig', signal.replace('SIG', ''), '--', ...words];
}
