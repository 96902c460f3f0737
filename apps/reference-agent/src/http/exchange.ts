import type { IncomingMessage, ServerResponse } from 'node:http';
import { begin, type LimitSubject, type OpenOperation, type StartOf } from '@sage-adk/core';
import { errors } from '../errors.ts';

/** One request and its answer, as the surfaces see it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Who is served, verified, and where; limits and conversations go by it. */
  readonly subject: Subject;
  /** Aborts when the answer is no longer wanted. */
  readonly signal: AbortSignal;
  /** Whether the answer is a stream. */
  readonly streamed: boolean;
  /** An error that is the whole answer, whatever the protocol would have made of it. */
  refusal: unknown;
  /** What {@link failed} was told first. */
  readonly failure: unknown;
  /** Milliseconds that were spent waiting for the model. */
  llmMs: number;
  /** Begins the operation, once it is known what is asked for; it ends with the response. Later calls are ignored. */
  begin(start: StartOf<'agent.request'>): void;
  /** Calls `call` inside the operation. */
  run<T>(call: () => T): T;
  abort(reason: unknown): void;
  /** Says that the request failed although the answer may be a well-formed one. */
  failed(error: unknown): void;
  /** Work that may outlive the answer: its place among the workers is kept until it ends. */
  keepUntil(work: Promise<unknown>): void;
  /** Resolves when the answer is sent or given up and all work of {@link keepUntil} ended. */
  settled(): Promise<void>;
}

/** A subject whose principal is known. */
export type Subject = LimitSubject & Required<Pick<LimitSubject, 'principal'>>;

export interface ExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly subject: Subject;
  readonly controller: AbortController;
  /**
   * Whether the work stops when the client goes away. A task of A2A goes on: the client may come back for it. One that still waits for a worker does not:
   * nobody has heard of it.
   */
  readonly endsWithClient: boolean;
}

/** Watches the response from here on. */
export function createExchange(options: ExchangeOptions): Exchange {
  return new LiveExchange(options);
}

class LiveExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly subject: Subject;
  streamed = false;
  refusal: unknown;
  failure: unknown;
  llmMs = 0;
  readonly #controller: AbortController;
  readonly #closed: Promise<void>;
  readonly #work: Promise<unknown>[] = [];
  #settled: Promise<void> | undefined;
  #operation: OpenOperation<'agent.request'> | undefined;

  constructor({ request, response, subject, controller, endsWithClient }: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.subject = subject;
    this.#controller = controller;
    this.#closed = new Promise((resolve) => {
      response.once('close', () => {
        const goesOn = !endsWithClient && this.#work.length > 0;
        if (!response.writableFinished && !goesOn) this.abort(errors.CLIENT_GONE());
        this.#end();
        resolve();
      });
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(start: StartOf<'agent.request'>): void {
    if (this.#operation !== undefined) return;
    this.streamed = start.stream;
    this.#operation = begin('agent.request', start);
    // The client may have gone before it was known what it wanted.
    if (this.response.destroyed) this.#end();
  }

  run<T>(call: () => T): T {
    return this.#operation === undefined ? call() : this.#operation.run(call);
  }

  abort(reason: unknown): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  failed(error: unknown): void {
    this.failure ??= error;
  }

  keepUntil(work: Promise<unknown>): void {
    this.#work.push(work.catch(() => {}));
  }

  settled(): Promise<void> {
    return (this.#settled ??= this.#afterAll());
  }

  async #afterAll(): Promise<void> {
    await this.#closed;
    // Work may begin more of it.
    for (const work of this.#work) await work;
  }

  #end(): void {
    const { statusCode, writableFinished } = this.response;
    this.#operation?.set({ status: statusCode, llmMs: this.llmMs });
    if (this.failure !== undefined) this.#operation?.fail(this.failure);
    else if (writableFinished) this.#operation?.end();
    else this.#operation?.fail(errors.CLIENT_GONE());
  }
}
