import type { AnswerFacts } from '../providers/api.ts';
import type { AnswerReader, Whole } from './answer-reader.ts';
import type { ExchangeOptions, FailureKind } from './exchange-options.ts';
import { Hold } from './hold.ts';
import type { Ending, Listener, Progress, Refusal, Watch } from './progress.ts';
import { type Read, Relay } from './relay.ts';

/**
 * The body of one answer, between the provider and whoever reads it. It reads no faster than its consumer, passes the bytes on as they are, and knows
 * how it ends: read, broken, cancelled, aborted, or dropped by a consumer who never comes back.
 */
export class Exchange<P = Uint8Array> implements Progress {
  readonly #body: ReadableStream<P> | null;
  readonly #signal: AbortSignal | undefined;
  // What an ended exchange lets go of: it lives as long as the response does, and that as long as the client likes.
  #watch: Watch | undefined;
  #failure: ExchangeOptions<P>['failure'] | undefined;
  readonly #reader: AnswerReader<P>;
  #source: ReadableStreamDefaultReader<P> | undefined;
  /** What was read ahead, and what the consumer gets first. */
  readonly ahead: P[] = [];
  #exhausted = false;
  #broken: { readonly error: unknown } | undefined;
  #listeners: ((ending: Ending) => void)[] = [];
  #listener: Listener | undefined;
  #contents = 0;
  #facts: AnswerFacts | undefined;
  #hold: Hold | undefined;
  /** Whether nobody gets more of the body. An answer may end before that: at its last word, or by an error in it. */
  #isOver = false;
  /** Whether its consumer began to read, or gave it up. */
  isDisturbed = false;
  firstContentAtMs: number | undefined;
  ending: Ending | undefined;
  refusal: Refusal | undefined;

  constructor({ signal, caller, body, reader, watch, failure }: ExchangeOptions<P>) {
    this.#body = body;
    this.#signal = signal;
    this.#watch = watch;
    this.#failure = failure;
    this.#reader = reader;
    watch?.guards(this);
    if (body === null) {
      this.#exhausted = true;
      reader.end();
      this.#end({ kind: 'done' });
      this.#letGo();
    } else if (signal !== undefined && (caller !== undefined || watch?.follows !== signal)) {
      (this.#hold = new Hold(this)).abortsWith(signal, caller);
    }
  }

  get contents(): number {
    return this.#contents;
  }

  get contentBytes(): number {
    return this.#reader.contentBytes;
  }

  facts(): AnswerFacts {
    if (this.ending?.kind !== 'done') return this.#reader.facts();
    return (this.#facts ??= this.#reader.facts());
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
    if (this.#body === null) return null;
    const relay = new Relay(this);
    this.endsWith(relay);
    return relay;
  }

  /** Where there is none, it ended at once. */
  get isEmpty(): boolean {
    return this.#body === null;
  }

  /** Once this is collected, nobody will come to read. */
  endsWith(consumer: object): void {
    if (this.ending === undefined) (this.#hold ??= new Hold(this)).dropsWith(consumer);
  }

  /** What the consumer gets without asking the provider; undefined where that has to be asked. */
  ready(): Read<P> | undefined {
    this.isDisturbed = true;
    const value = this.ahead.length === 0 ? undefined : this.ahead.shift();
    if (value !== undefined) return { done: false, value: this.#passing(value) };
    return this.#exhausted ? this.#closed() : undefined;
  }

  /** Asks the provider for the next piece. Whoever asks makes one promise of it and no more, for this is done for every event of a stream. */
  ask(): Promise<Read<P>> {
    this.#source ??= (this.#body as ReadableStream<P>).getReader();
    if (this.#broken !== undefined) return Promise.reject(this.#broken.error);
    this.#watch?.waits();
    return this.#source.read();
  }

  /** What the consumer gets of what the provider gave; undefined for nothing yet. Throws where it broke meanwhile. */
  answer(read: Read<P>): Read<P> | undefined {
    const piece = this.#arrived(read);
    const value = piece === undefined ? this.#finish() : this.#take(piece);
    if (value === undefined) return this.ready();
    this.#passing(value);
    return value === piece ? read : { done: false, value };
  }

  /** The provider gave an error. Returns the one for the consumer. */
  broke(error: unknown): unknown {
    this.#broken ??= { error };
    this.#end(this.#endingOf(error));
    this.#letGo();
    this.#dismiss()?.broke(this.#broken.error);
    return this.#broken.error;
  }

  /** The consumer wants all of it at once. Returns it where it was read ahead; undefined where the provider has to be asked: what it gives goes to {@link gather}. */
  begin<W extends Whole>(pieces: P[], say: (pieces: readonly P[]) => W): W | undefined {
    this.isDisturbed = true;
    if (this.ahead.length > 0) for (const piece of this.ahead.splice(0)) pieces.push(piece);
    return this.#exhausted ? this.#passingAll(say(pieces)) : undefined;
  }

  /** Adds what the provider gave to the pieces that came before; returns what they say once that is all. Throws where it broke meanwhile. */
  gather<W extends Whole>(read: Read<P>, pieces: P[], say: (pieces: readonly P[]) => W): W | undefined {
    const reader = this.#reader;
    const piece = this.#arrived(read);
    // Such a reader need not see the pieces.
    const learns = reader.learn !== undefined && reader.contentBytes === 0;
    const passed = learns ? piece : piece === undefined ? this.#finish() : this.#take(piece);
    if (passed !== undefined) pieces.push(passed);
    if (piece !== undefined) return undefined;
    const whole = say(pieces);
    if (learns) {
      reader.learn?.(whole);
      this.#finish();
    }
    return this.#passingAll(whole);
  }

  /** Ends it from here: nobody gets more of it. */
  abort(error: unknown): void {
    if (this.#isOver) return;
    this.#broken = { error };
    this.#end(this.#endingOf(error));
    this.#dismiss()?.broke(error);
    this.release(error);
  }

  /** Nobody will come to read the rest of it. */
  drop(): void {
    this.#end({ kind: 'cancelled', reason: undefined });
    this.#dismiss()?.finished();
    this.release();
  }

  /** Ends it as failed. */
  fail(kind: FailureKind): void {
    this.#end({ kind: 'failed', error: this.#failure?.(kind) });
  }

  /** Lets the connection go: nobody reads what is left. */
  release(reason?: unknown): void {
    this.#letGo();
    this.#release(reason).catch(() => {});
  }

  /** The consumer wants no more. */
  cancel(reason: unknown): Promise<void> {
    this.isDisturbed = true;
    if (this.ending === undefined) this.#end(this.#givenUp(reason));
    this.#letGo();
    this.#dismiss()?.finished();
    return this.#release(reason);
  }

  /** Who is told of the end is told of nothing else. */
  #dismiss(): Listener | undefined {
    const listener = this.#listener;
    this.#listener = undefined;
    return listener;
  }

  #passing(piece: P): P {
    if (this.#listener !== undefined && piece instanceof Uint8Array) {
      this.#listener.passed(piece);
      // Whoever has the last word need not come back for the end.
      if (this.ending?.kind === 'done' && this.ahead.length === 0) this.#dismiss()?.finished();
    }
    return piece;
  }

  #passingAll<W extends Whole>(whole: W): W {
    this.#dismiss()?.finished(whole);
    return whole;
  }

  #closed(): Read<P> {
    this.#dismiss()?.finished();
    return { done: true, value: undefined };
  }

  async #read(): Promise<P | undefined> {
    let read: Read<P>;
    try {
      read = await this.ask();
    } catch (error) {
      throw this.broke(error);
    }
    return this.#arrived(read);
  }

  #arrived({ value }: Read<P>): P | undefined {
    if (this.#broken === undefined) return value;
    this.#dismiss()?.broke(this.#broken.error);
    throw this.#broken.error;
  }

  /** What the consumer gets of a piece; undefined for nothing yet. */
  #take(piece: P): P | undefined {
    const passed = this.#reader.write(piece);
    const { contents } = this.#reader;
    const hasContent = contents > this.#contents;
    this.#contents = contents;
    if (hasContent) this.firstContentAtMs ??= performance.now();
    if (!this.#endIfOver()) this.#watch?.arrived(hasContent);
    return passed;
  }

  /** What the consumer still gets at the end. */
  #finish(): P | undefined {
    this.#exhausted = true;
    const rest = this.#reader.end();
    if (!this.#endIfOver()) this.fail('incomplete');
    this.#letGo();
    return rest;
  }

  #endIfOver(): boolean {
    const { whole, problem } = this.#reader;
    if (problem !== undefined) this.fail('problem');
    else if (whole) this.#end({ kind: 'done' });
    return this.ending !== undefined;
  }

  #endingOf(error: unknown): Ending {
    return this.#signal?.aborted === true ? this.#givenUp(this.#signal.reason) : { kind: 'failed', error };
  }

  /** A client that gives up over what it cannot read did not change its mind. */
  #givenUp(reason: unknown): Ending {
    // Nobody is missing anything. SDKs abort where a consumer leaves their stream.
    if (this.#reader.finished) return { kind: 'done', isLeft: true };
    if (this.#reader.isMalformed()) return { kind: 'failed', error: this.#failure?.('malformed') };
    return { kind: 'cancelled', reason };
  }

  #release(reason: unknown): Promise<void> {
    return (this.#source ?? this.#body)?.cancel(reason) ?? Promise.resolve();
  }

  #end(ending: Ending): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    this.#watch?.contentEnded();
    this.#failure = undefined;
    for (const listener of this.#listeners) listener(ending);
    this.#listeners = [];
  }

  /** The body is over: signals, timers and the collector have nothing to end any more. */
  #letGo(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hold?.letGo();
    this.#watch?.ended();
    this.#watch = undefined;
  }
}
