import type {
  ReadableStreamBYOBReader,
  ReadableStreamDefaultReader as DefaultReader,
  ReadableStreamGetReaderOptions,
  ReadableStreamDefaultController as Controller,
  ReadableStreamReader,
  ReadableStreamReadResult,
} from 'node:stream/web';

/** What there is of a body: a piece, or its end. */
export type Read<P> = ReadableStreamReadResult<P>;

/** What a relay reads from. It is asked for one piece at a time. */
export interface RelaySource<P> {
  /** What can be had without asking. */
  ready(): Read<P> | undefined;
  ask(): Promise<Read<P>>;
  /** What there is of what was asked for; undefined for nothing yet. */
  answer(read: Read<P>): Read<P> | undefined;
  /** Asking failed. Returns the error to throw. */
  broke(error: unknown): unknown;
  cancel(reason: unknown): Promise<void>;
}

// The types say of the constructor that it makes streams of bytes.
const StreamOf = ReadableStream as new <P>(source: Line<P>, strategy: QueuingStrategy<P>) => ReadableStream<P>;

/**
 * A body on its way through. It is a stream like any other and holds nothing back; but whoever takes a reader reads from the source itself, since a second
 * stream costs more for each piece than all that is done with the piece.
 */
export class Relay<P> extends StreamOf<P> {
  readonly #line: Line<P>;
  /** Lives as long as the stream does. */
  readonly owner: object | undefined;

  constructor(source: RelaySource<P>, owner?: object) {
    const line = new Line(source);
    super(line, { highWaterMark: 0 });
    this.#line = line;
    this.owner = owner;
  }

  override getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader;
  override getReader(): DefaultReader<P>;
  override getReader(options?: ReadableStreamGetReaderOptions): ReadableStreamReader<P>;
  override getReader(options?: ReadableStreamGetReaderOptions): ReadableStreamReader<P> {
    return options?.mode === undefined ? new LineReader<P>(this, this.#line) : super.getReader(options);
  }
}

/** The one place where pieces are asked for, by the stream or by its reader. */
class Line<P> {
  readonly #source: RelaySource<P>;
  #controller: Controller<P> | undefined;
  /** The latest read, as long as it goes on, and whose it is. */
  #reading: Promise<Read<P>> | undefined;
  #holder: Holder | undefined;
  /** The latest of the reads that wait for others, and how many they are. */
  #last: Promise<Read<P>> | undefined;
  #queued = 0;
  /** What came for a reader that was released meanwhile: it is for the next. */
  #kept: Read<P> | undefined;
  isOver = false;

  constructor(source: RelaySource<P>) {
    this.#source = source;
  }

  start(controller: Controller<P>): void {
    this.#controller = controller;
  }

  async pull(controller: Controller<P>): Promise<void> {
    const { done, value } = await this.read();
    if (!done) controller.enqueue(value);
  }

  cancel(reason: unknown): Promise<void> {
    this.isOver = true;
    return this.#source.cancel(reason);
  }

  /** Who asks while a read goes on gets what follows it. @param holder undefined for the stream itself. */
  read(holder?: Holder): Promise<Read<P>> {
    const before = this.#last ?? this.#reading;
    if (before === undefined) return this.#next(holder);
    this.#queued++;
    const again = (): Promise<Read<P>> => {
      if (--this.#queued === 0) this.#last = undefined;
      return holder?.isReleased === true ? Promise.reject(released()) : this.#next(holder);
    };
    return (this.#last = before.then(again, again));
  }

  #next(holder: Holder | undefined): Promise<Read<P>> {
    this.#holder = holder;
    const ready = this.#kept ?? this.#source.ready();
    this.#kept = undefined;
    if (ready !== undefined) return Promise.resolve(this.#given(ready));
    return (this.#reading = this.#source.ask().then(this.#arrived, this.#failed));
  }

  readonly #arrived = (read: Read<P>): Read<P> | Promise<Read<P>> => {
    try {
      const given = this.#source.answer(read);
      if (given === undefined) return this.#source.ask().then(this.#arrived, this.#failed);
      return this.#holder?.isReleased === true && !given.done ? this.#keep(given) : this.#given(given);
    } catch (error) {
      throw this.#end(error);
    }
  };

  #keep(read: Read<P>): Promise<never> {
    this.#reading = undefined;
    this.#kept = read;
    return Promise.reject(released());
  }

  readonly #failed = (error: unknown): never => {
    throw this.#end(this.#source.broke(error));
  };

  #given(read: Read<P>): Read<P> {
    this.#reading = undefined;
    if (!read.done || this.isOver) return read;
    this.isOver = true;
    this.#controller?.close();
    return read;
  }

  #end(error: unknown): unknown {
    this.#reading = undefined;
    if (!this.isOver) this.#controller?.error(error);
    this.isOver = true;
    return error;
  }
}

/** Who reads, as long as it may. */
interface Holder {
  isReleased: boolean;
}

/** As the standard has it. */
function released(): TypeError {
  return new TypeError('Releasing reader');
}

class LineReader<P> extends ReadableStreamDefaultReader<P> {
  readonly #line: Line<P>;
  readonly #holder: Holder = { isReleased: false };

  constructor(stream: ReadableStream<P>, line: Line<P>) {
    super(stream);
    this.#line = line;
  }

  override read(): Promise<Read<P>> {
    return this.#holder.isReleased || this.#line.isOver ? super.read() : this.#line.read(this.#holder);
  }

  override releaseLock(): void {
    this.#holder.isReleased = true;
    super.releaseLock();
  }
}
