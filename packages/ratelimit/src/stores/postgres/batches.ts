/** Calls that wait for the server go together: one statement, one commit and one wait for the disk for all of them. */
import { type Clock, isSageError } from '@sage-adk/core';
import { postgresErrors } from '@sage-adk/core/postgres';
import { withinDeadline } from '../deadline-call.ts';
import type { BatchCall } from './requests.ts';

export interface BatchesOptions {
  /** Carries calls and returns the answer of each. What it rejects with, all of them reject with. */
  readonly send: (calls: readonly BatchCall[], deadlineMs: number) => Promise<readonly (readonly number[])[]>;
  /** Statements under way at once. */
  readonly lanes: number;
  /** How long a call may take, its wait included. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** A batch holds the locks of all its keys until it is written, so it must not become long. */
const mostCalls = 32;
/** About as many calls as cost the server what a statement of its own would. */
const fewCalls = 8;

export class Batches {
  readonly #options: BatchesOptions;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #isDue = false;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Rejects with `SAGE_POSTGRES_DEADLINE` if no answer comes in time; a call that was not sent yet is not sent then. */
  async call(call: BatchCall): Promise<readonly number[]> {
    const { deadlineMs, clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
    const own: Waiting = { call, sinceMs: clock.monotonicMs(), resolve, reject, isOver: false };
    this.#waiting.push(own);
    // Calls of one turn of the event loop go together.
    if (!this.#isDue) queueMicrotask(() => this.#pump());
    this.#isDue = true;
    const late = (): Error => postgresErrors.DEADLINE({ deadlineMs });
    try {
      return await withinDeadline(() => promise, deadlineMs, clock, late);
    } finally {
      own.isOver = true;
    }
  }

  #pump(): void {
    this.#isDue = false;
    let waiting = this.#waiting.filter(({ isOver }) => !isOver);
    while (waiting.length > 0 && this.#underWay < this.#options.lanes) {
      const share = Math.ceil(waiting.length / (this.#options.lanes - this.#underWay));
      const size = Math.min(mostCalls, Math.max(fewCalls, share));
      void this.#carry(waiting.slice(0, size));
      waiting = waiting.slice(size);
    }
    this.#waiting = waiting;
  }

  async #carry(batch: readonly Waiting[]): Promise<void> {
    this.#underWay++;
    await this.#deliver(batch);
    this.#underWay--;
    this.#pump();
  }

  async #deliver(all: readonly Waiting[]): Promise<void> {
    const { send, deadlineMs, clock } = this.#options;
    const batch = all.filter(({ isOver }) => !isOver);
    if (batch.length === 0) return;
    // Until the youngest gives up. The older ones do so by themselves.
    const leftMs = deadlineMs - (clock.monotonicMs() - (batch.at(-1)?.sinceMs ?? 0));
    try {
      const calls = batch.map(({ call }) => call);
      const answers = await send(calls, Math.max(1, Math.ceil(leftMs)));
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] ?? []);
    } catch (error) {
      // Nothing was changed. Whose call it is that the server refuses shows when each goes alone.
      if (batch.length > 1 && isRefusal(error)) for (const one of batch) await this.#deliver([one]);
      else for (const { reject } of batch) reject(error);
    }
  }
}

interface Waiting {
  readonly call: BatchCall;
  readonly sinceMs: number;
  readonly resolve: (answer: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
}

function isRefusal(error: unknown): boolean {
  return isSageError(error) && error.code === 'SAGE_POSTGRES_QUERY_FAILED';
}
