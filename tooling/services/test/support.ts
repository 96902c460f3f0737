import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { areRequired } from '../src/sources.js';
import type { Skipped } from '../src/index.js';

/** `describe`, or `describe.skip` with the reason printed when this machine has no such server; an error if it must have. */
export function suiteFor(result: object | Skipped): (title: string, tests: () => void) => void {
  if (!('skipped' in result)) return describe;
  if (areRequired()) throw new Error(result.skipped);
  process.stderr.write(`skipped: ${result.skipped}\n`);
  return describe.skip;
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // An orphan that ended stays listed until init takes notice of it.
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits up to `longestMs`, by default a minute. */
export async function until(check: () => boolean | Promise<boolean>, longestMs = 60_000): Promise<void> {
  for (let waitedMs = 0; !(await check()); waitedMs += 20) {
    if (waitedMs > longestMs) throw new Error(`it did not happen within ${longestMs / 1_000} s`);
    await sleep(20);
  }
}

/** Whether a promise is still open after a moment that a server on this machine would not need. */
export async function isStalled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, sleep(200, open)])) === open;
}
