import { isAscii } from 'node:buffer';
import type { LlmAnswer } from '../call.ts';
import type { CachedAnswer } from '../middleware/cache.ts';
import { toLatin1 } from './json-text.ts';
import type { Whole } from './answer-reader.ts';
import type { Listener, Progress } from './progress.ts';

/** Resolves with the answer as it is kept, once its consumer has read it. Rejects unless all of it was read and it was whole. */
export function record({ result, progress }: LlmAnswer<Response>, resolve: Resolve, reject: Reject): void {
  if (progress.listen === undefined) reject(notWhole());
  else progress.listen(new Recording(result, progress, resolve, reject));
}

type Resolve = (answer: CachedAnswer) => void;
type Reject = (error: unknown) => void;

class Recording implements Listener {
  // Not the response itself: whoever listens must not keep alive what nobody reads.
  readonly #status: number;
  readonly #headers: Headers;
  readonly #progress: Progress;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  readonly #tape = new Tape();

  constructor({ status, headers }: Response, progress: Progress, resolve: Resolve, reject: Reject) {
    this.#status = status;
    this.#headers = headers;
    this.#progress = progress;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  passed(piece: Uint8Array, text?: string, isPlain?: boolean): void {
    this.#tape.add(piece, text, isPlain);
  }

  finished(whole?: Whole): void {
    const body = whole === undefined ? this.#tape.text : bounded(whole);
    // A consumer may leave at the last word, before the end; but not before the last word.
    const { ending } = this.#progress;
    if (ending?.kind !== 'done' || ending.isLeft === true || body === undefined) this.#reject(notWhole());
    else this.#resolve(this.#kept(body));
  }

  broke(error: unknown): void {
    this.#reject(error);
  }

  #kept(body: string): CachedAnswer {
    const { usage, model, finishReason } = this.#progress.facts();
    const headers: [name: string, value: string][] = [];
    for (const field of this.#headers) if (!ofTransfer.has(field[0])) headers.push(field);
    const kept: { -readonly [N in keyof CachedAnswer]: CachedAnswer[N] } = { status: this.#status, headers, body };
    if (model !== undefined) kept.model = model;
    if (finishReason !== undefined) kept.finishReason = finishReason;
    if (usage !== undefined) kept.usage = usage;
    return kept;
  }
}

/** Larger answers are not kept. */
const mostBytes = 4 * 1_024 * 1_024;

/** The bytes that passed, unless they were too many. */
class Tape {
  /** A character for each byte: a copy, since the bytes belong to the consumer, and one that needs no memory outside of the heap. */
  #bytes = '';
  #size = 0;
  /** Nothing is left to decode then. */
  #isAscii = true;

  get text(): string | undefined {
    if (this.#size > mostBytes) return undefined;
    return this.#isAscii ? this.#bytes : Buffer.from(this.#bytes, 'latin1').toString();
  }

  add(piece: Uint8Array, text = toLatin1(piece), isPlain = isAscii(piece)): void {
    this.#size += piece.length;
    this.#bytes = this.#size <= mostBytes ? this.#bytes + text : '';
    if (!isPlain) this.#isAscii = false;
  }
}

function bounded({ bytes, text }: Whole): string | undefined {
  if (bytes.length > mostBytes) return undefined;
  return text ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** They are of the bytes as they came over the wire, or of that one exchange. */
const ofTransfer = new Set([
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'set-cookie',
]);

function notWhole(): Error {
  return new Error('The answer was not read to its end, or it was not whole.');
}
