// Child processes that end with their starter, whichever way it ends.
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {object} Owner
 * @property {number} uid
 * @property {number} gid
 *
 * @typedef {object} LaunchOptions
 * @property {string} command
 * @property {readonly string[]} args
 * @property {string} folder Where it runs and keeps its data.
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {string} logFile Receives its output.
 * @property {NodeJS.Signals} endSignal What it takes as "finish now".
 * @property {Owner} [owner] The user it runs as. Default: ours.
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

/** @type {Set<() => void>} */
const lastActs = new Set();
process.once('exit', () => {
  for (const act of [...lastActs].reverse()) act();
});

/**
 * Runs a synchronous act when this process exits, the last one registered first.
 * @param {() => void} act
 * @returns {() => void} Takes it back.
 */
export function atExit(act) {
  lastActs.add(act);
  return () => lastActs.delete(act);
}

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
 * Runs a command to its end and returns what it wrote to stdout.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Readonly<Record<string, string | undefined>>, folder?: string, owner?: Owner | undefined, timeoutMs?: number }} [options]
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
        return reject(new Error(`${command}: ${said}`, { cause: error }));
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
 * The children of a process and theirs.
 * @param {number} pid
 * @returns {number[]}
 */
export function descendants(pid) {
  const parents = parentOfEach();
  /** @type {(of: number) => number[]} */
  const below = (of) =>
    parents.filter(([, parent]) => parent === of).flatMap(([child]) => [child].concat(below(child)));
  return below(pid);
}

/**
 * Kills a process and all below it. The parent is stopped first, so that it starts no child meanwhile.
 * @param {number | undefined} pid
 */
export function killTree(pid) {
  if (pid === undefined) return;
  signalAll([pid], 'SIGSTOP');
  signalAll([...descendants(pid), pid], 'SIGKILL');
}

/**
 * Signals processes; one that is gone is passed over.
 * @param {readonly number[]} pids
 * @param {NodeJS.Signals} signal
 */
export function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone between looking and signalling.
    }
  }
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

/** @returns {[pid: number, parent: number][]} */
function parentOfEach() {
  if (!existsSync('/proc/self/stat')) {
    const table = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' });
    return table
      .trim()
      .split('\n')
      .map((line) => pair(line.trim().split(/\s+/)));
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // The name before it stands in brackets and may hold anything: "pid (name) state parent".
        return [pair([pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]])];
      } catch {
        return [];
      }
    });
}

/**
 * @param {(string | undefined)[]} words
 * @returns {[number, number]}
 */
function pair([pid, parent]) {
  return [Number(pid), Number(parent)];
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
