// A process and all it started.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

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
