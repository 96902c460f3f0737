import type { AnswerFacts } from '../providers/api.ts';
import type { AnswerReader } from './answer-reader.ts';
import type { Ending, Listener, Progress, Refusal } from './progress.ts';

export interface ExchangeOptions<P> {
  /** What has the body; a `Response` is one. It lives as long as the exchange: fetch releases the body of a response that was collected. */
  readonly source: { readonly body: ReadableStream<P> | null };
  readonly reader: AnswerReader<P>;
  /** Whoever asked gives up. */
  readonly signal?: AbortSignal | undefined;
  /** Is told when the body is waited for and when pieces of the answer came. */
  readonly watch?: Watch | undefined;
  /** What an answer that was cut short, cannot be read or is an error fails with. */
  failure(kind: FailureKind): unknown;
}

/** It ended before it was whole; the client cannot read it; the provider says in it what went wrong. */
export type FailureKind = 'incomplete' | 'malformed' | 'problem';

/** Somebody who looks at the time. */
export interface Watch {
  /** How what is watched can be ended. */
  guards(breakOff: (error: unknown) => void): void;
  waits(): void;
  arrived(isContent: boolean): void;
  ended(): void;
}

/**
 * The body of one answer, between the provider and whoever reads it. It reads no faster than its consumer, passes the bytes on as they are, and knows
 * how it ends: read, broken, cancelled, aborted, or dropped by a consumer who never comes back.
 */
export class Exchange<P = Uint8Array> implements Progress {
  readonly #options: ExchangeOptions<P>;
  readonly #reader: AnswerReader<P>;
  #source: ReadableStreamDefaultReader<P> | undefined;
  /** What was read ahead, and what the consumer gets first. */
  readonly ahead: P[] = [];
  #exhausted = false;
  #broken: { readonly error: unknown } | undefined;
  #listeners: ((ending: Ending) => void)[] = [];
  #listener: Listener | undefined;
  #contents = 0;
  readonly #abort: (() => void) | undefined;
  firstContentAtMs: number | undefined;
  ending: Ending | undefined;
  refusal: Refusal | undefined;

  constructor(options: ExchangeOptions<P>) {
    const { signal, source, reader } = options;
    this.#options = options;
    this.#reader = reader;
    options.watch?.guards((error) => this.abort(error));
    if (source.body === null) {
      this.#exhausted = true;
      reader.end();
      this.#end({ kind: 'done' });
    } else if (signal !== undefined) {
      this.#abort = () => this.abort(signal.reason);
      signal.addEventListener('abort', this.#abort, { once: true });
    }
  }

  get contents(): number {
    return this.#contents;
  }

  get contentBytes(): number {
    return this.#reader.contentBytes;
  }

  facts(): AnswerFacts {
    return this.#reader.facts();
  }

  onEnd(listener: (ending: Ending) => void): void {
    if (this.ending === undefined) this.#listeners.push(listener);
    else listener(this.ending);
  }

  /** For bodies that are bytes. */
  listen(listener: Listener): void {
    this.#listener = listener;
  }

  /** Reads until `enough` or the end. The consumer gets what was read as if it read it itself. Rejects where the body breaks. */
  async readAhead(enough: () => boolean): Promise<void> {
    while (!this.#exhausted && !enough()) {
      const piece = await this.#read();
      const passed = piece === undefined ? this.#finish() : this.#take(piece);
      if (passed !== undefined) this.ahead.push(passed);
    }
  }

  /** The body for one consumer; null where there is none. */
  relay(): ReadableStream<P> | null {
    if (this.#options.source.body === null) return null;
    const body = new ReadableStream<P>(
      { pull: (controller) => this.#pull(controller), cancel: (reason) => this.#cancel(reason) },
      { highWaterMark: 0 },
    );
    if (this.ending === undefined) unread.register(body, this, this);
    return body;
  }

  /** Ends it from here: nobody gets more of it. */
  abort(error: unknown): void {
    if (this.ending !== undefined) return;
    this.#broken = { error };
    this.#end(this.#endingOf(error));
    this.release(error);
  }

  /** Nobody will come to read the rest of it. */
  drop(): void {
    this.#end({ kind: 'cancelled', reason: undefined });
    this.release();
  }

  /** Ends it as failed. */
  fail(kind: FailureKind): void {
    this.#end({ kind: 'failed', error: this.#options.failure(kind) });
  }

  /** Lets the connection go: nobody reads what is left. */
  release(reason?: unknown): void {
    this.#release(reason).catch(() => {});
  }

  #pull(controller: ReadableStreamDefaultController<P>): Promise<void> | undefined {
    const piece = this.ahead.shift();
    if (piece !== undefined) this.#pass(piece, controller);
    else if (this.#exhausted) this.#closed(controller);
    else return this.#next().then((read) => this.#deliver(this.#arrived(read), controller), this.#failed);
    return undefined;
  }

  #deliver(piece: P | undefined, controller: ReadableStreamDefaultController<P>): Promise<void> | undefined {
    const passed = piece === undefined ? this.#finish() : this.#take(piece);
    if (passed !== undefined) this.#pass(passed, controller);
    else if (this.#exhausted) this.#closed(controller);
    else return this.#pull(controller);
    return undefined;
  }

  #pass(piece: P, controller: ReadableStreamDefaultController<P>): void {
    if (piece instanceof Uint8Array) this.#listener?.passed(piece);
    controller.enqueue(piece);
  }

  #closed(controller: ReadableStreamDefaultController<P>): void {
    this.#listener?.finished();
    controller.close();
  }

  #read(): Promise<P | undefined> {
    return this.#next().then(this.#arrived, this.#failed);
  }

  /** The next piece from the provider. Whoever asks makes one promise of it and no more, for this is done for every event of a stream. */
  #next(): ReturnType<ReadableStreamDefaultReader<P>['read']> {
    this.#source ??= (this.#options.source.body as ReadableStream<P>).getReader();
    if (this.#broken !== undefined) return Promise.reject(this.#broken.error);
    this.#options.watch?.waits();
    return this.#source.read();
  }

  readonly #arrived = ({ value }: { readonly value?: P | undefined }): P | undefined => {
    if (this.#broken === undefined) return value;
    this.#listener?.broke(this.#broken.error);
    throw this.#broken.error;
  };

  readonly #failed = (error: unknown): never => {
    this.#broken ??= { error };
    this.#end(this.#endingOf(error));
    this.#listener?.broke(this.#broken.error);
    throw this.#broken.error;
  };

  /** What the consumer gets of a piece; undefined for nothing yet. */
  #take(piece: P): P | undefined {
    const passed = this.#reader.write(piece);
    this.#notice();
    return passed;
  }

  /** What the consumer still gets at the end. */
  #finish(): P | undefined {
    this.#exhausted = true;
    const rest = this.#reader.end();
    this.#close();
    return rest;
  }

  #notice(): void {
    const { contents, whole, problem } = this.#reader;
    const hasContent = contents > this.#contents;
    this.#contents = contents;
    if (hasContent) this.firstContentAtMs ??= performance.now();
    if (problem !== undefined) this.fail('problem');
    else if (whole) this.#end({ kind: 'done' });
    else this.#options.watch?.arrived(hasContent);
  }

  #close(): void {
    const { whole, problem } = this.#reader;
    if (problem !== undefined) this.fail('problem');
    else if (whole) this.#end({ kind: 'done' });
    else this.fail('incomplete');
  }

  #cancel(reason: unknown): Promise<void> {
    if (this.ending === undefined) {
      if (this.#reader.finished) this.#end({ kind: 'done' });
      else this.#end(this.#givenUp(reason));
    }
    this.#listener?.finished();
    return this.#release(reason);
  }

  #endingOf(error: unknown): Ending {
    const { signal } = this.#options;
    return signal?.aborted === true ? this.#givenUp(signal.reason) : { kind: 'failed', error };
  }

  /** A client that gives up over what it cannot read did not change its mind. */
  #givenUp(reason: unknown): Ending {
    if (this.#reader.isMalformed()) return { kind: 'failed', error: this.#options.failure('malformed') };
    return { kind: 'cancelled', reason };
  }

  #release(reason: unknown): Promise<void> {
    const { body } = this.#options.source;
    return this.#source === undefined ? (body?.cancel(reason) ?? Promise.resolve()) : this.#source.cancel(reason);
  }

  #end(ending: Ending): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    unread.unregister(this);
    if (this.#abort !== undefined) this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#options.watch?.ended();
    for (const listener of this.#listeners) listener(ending);
    this.#listeners = [];
  }
}

/** A body that was dropped before its end: the connection is released, and whoever waits for the end hears of it. */
const unread = new FinalizationRegistry<{ drop(): void }>((exchange) => exchange.drop());
