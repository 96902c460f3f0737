/**
 * Writes to an open file descriptor and returns when the operating system has it, so that nothing is lost however the process ends.
 *
 * Node's own streams don't give that: what a slow pipe has not taken yet, and everything a file stream holds, is gone at `process.exit`.
 */
import { writeSync } from 'node:fs';
import { errors } from '../errors.ts';

export interface DescriptorWriter {
  /** Throws what the operating system says, or SAGE_LOGGING_OUTPUT_STALLED. A part that was not taken goes first next time. */
  write(text: string): void;
}

export interface DescriptorWriterOptions {
  /** How long a full pipe may take nothing before lines are given up, in milliseconds. @default 1000 */
  readonly patienceMs?: number;
  /** How bytes are written; returns how many were taken. @default fs.writeSync */
  readonly writeBytes?: (descriptor: number, bytes: Uint8Array) => number;
  /** How the thread waits. */
  readonly sleep?: (delayMs: number) => void;
}

const pauseMs = 2;

export function createDescriptorWriter(
  descriptor: number,
  { patienceMs = 1_000, writeBytes = writeSync, sleep = sleepSync }: DescriptorWriterOptions = {},
): DescriptorWriter {
  let rest: Uint8Array | undefined;
  let stalled = false;

  // Leaves in `rest` what was not taken: a line that was begun must end before another begins.
  const writeAll = (bytes: Uint8Array): void => {
    rest = bytes;
    let waitedMs = 0;
    while (rest.length > 0) {
      const taken = tryWrite(descriptor, rest, writeBytes);
      if (taken > 0) {
        rest = rest.subarray(taken);
        waitedMs = 0;
        stalled = false;
      } else if (stalled || waitedMs >= patienceMs) {
        stalled = true;
        throw errors.OUTPUT_STALLED({ waitedMs: patienceMs });
      } else {
        sleep(pauseMs);
        waitedMs += pauseMs;
      }
    }
    rest = undefined;
  };

  return {
    write(text) {
      if (rest !== undefined) writeAll(rest);
      // Nearly always all of it is taken, and the system has it without a copy of ours.
      const taken = writeBytes === writeSync ? tryWrite(descriptor, text, writeSync) : 0;
      if (taken === Buffer.byteLength(text)) stalled = false;
      else writeAll(Buffer.from(text).subarray(taken));
    },
  };
}

/** 0 where a pipe is full. */
function tryWrite<T>(descriptor: number, data: T, write: (descriptor: number, data: T) => number): number {
  try {
    return write(descriptor, data);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

function sleepSync(delayMs: number): void {
  Atomics.wait(nobodyWakes, 0, 0, delayMs);
}
