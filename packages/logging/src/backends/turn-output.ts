/**
 * Collects the lines of one turn of the event loop and writes them together, at its end, at 64 Ki characters, or with the first line of WARN or above.
 *
 * What is collected when the process ends is written then, and what comes afterwards at once: see `at-exit.ts`.
 */
import { isMainThread } from 'node:worker_threads';
import { type LogLevel, severityOf } from '../level.ts';
import { warnOfLostLine } from '../lost-line.ts';
import { flushAtExit } from './at-exit.ts';
import type { LineOutput } from './line-output.ts';
import type { LineWriter } from './line-writer.ts';

const mostCharacters = 65_536;

/** In a worker thread, which its process may end without a word, each line is written at once. */
export function createTurnOutput(output: LineOutput, mayWait: boolean = isMainThread): LineWriter {
  return new Turns(output, mayWait);
}

class Turns implements LineWriter {
  lost = 0;
  readonly #output: LineOutput;
  readonly #atExit: Disposable | undefined;
  #mayWait: boolean;
  #pending = '';
  #lines = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(output: LineOutput, mayWait: boolean) {
    this.#output = output;
    this.#mayWait = mayWait;
    this.#atExit = mayWait ? flushAtExit((isLast) => this.#flushAtExit(isLast)) : undefined;
  }

  write(line: string, level: LogLevel): void {
    this.#pending += `${line}\n`;
    this.#lines++;
    if (!this.#mayWait || severityOf[level] >= severityOf.WARN || this.#pending.length >= mostCharacters) this.flush();
    else this.#turn ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#turn = undefined;
    if (this.#lines === 0) return;
    const text = this.#pending;
    const lines = this.#lines;
    this.#pending = '';
    this.#lines = 0;
    try {
      this.#output.writeAll(text);
    } catch (error) {
      if (this.lost === 0) warnOfLostLine(error);
      this.lost += lines;
    }
  }

  close(): void {
    this.flush();
    this.#atExit?.[Symbol.dispose]();
    this.#output.close();
  }

  #flushAtExit(isLast: boolean): void {
    if (isLast) this.#mayWait = false;
    this.flush();
  }
}
