import type { Context } from '@sage-adk/core';

/**
 * Who waits for a call within a context that has a signal: whichever aborts first, that or the request's own, ends the call. It listens to both only as long as
 * anything of the call goes on; `fetch`, which does not say when it stops to listen, gets a signal of its own.
 */
export class Caller {
  readonly #controller = new AbortController();
  #signals: readonly AbortSignal[];
  #holds = 1;

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener('abort', this);
    this.handleEvent();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something more of the call goes on. */
  hold(): void {
    this.#holds++;
  }

  /** Something of it ended. */
  leave(): void {
    if (--this.#holds > 0) return;
    for (const signal of this.#signals) signal.removeEventListener('abort', this);
    this.#signals = [];
  }

  /** One of them aborted. */
  handleEvent(): void {
    const aborted = this.#signals.find((signal) => signal.aborted);
    if (aborted !== undefined) this.#controller.abort(aborted.reason);
  }
}

/** Undefined where the context has nothing to say. The call itself holds it first. */
export function callerIn(context: Context | undefined, own: AbortSignal | undefined): Caller | undefined {
  const signal = context?.signal;
  if (signal === undefined || signal === own) return undefined;
  return new Caller(own === undefined ? [signal] : [own, signal]);
}
