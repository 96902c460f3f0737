import type { LlmAnswer } from '../call.ts';
import type { CachedAnswer } from '../middleware/cache.ts';
import type { Whole } from './answer-reader.ts';
import type { AnswerFacts } from '../providers/api.ts';

/** Resolves with the answer as it is kept, once its consumer has read it. Rejects unless all of it was read and it was whole. */
export function record(
  // Not the response itself: whoever listens must not keep alive what nobody reads.
  { result: { status, headers }, progress }: LlmAnswer<Response>,
  resolve: (answer: CachedAnswer) => void,
  reject: (error: unknown) => void,
): void {
  if (progress.listen === undefined) return reject(notWhole());
  /** Of what comes in pieces. */
  let tape: Tape | undefined;
  progress.listen({
    passed(piece) {
      (tape ??= new Tape()).add(piece);
    },
    finished(whole) {
      const body = whole === undefined ? (tape === undefined ? '' : tape.text) : bounded(whole);
      // A consumer may leave at the last word, before the end; but not before the last word.
      const { ending } = progress;
      if (ending?.kind !== 'done' || ending.isLeft === true || body === undefined) reject(notWhole());
      else resolve(kept(status, headers, body, progress.facts()));
    },
    broke: reject,
  });
}

function kept(
  status: number,
  fields: Headers,
  body: string,
  { usage, model, finishReason }: AnswerFacts,
): CachedAnswer {
  const headers: [name: string, value: string][] = [];
  for (const field of fields) if (!ofTransfer.has(field[0])) headers.push(field);
  const answer: { -readonly [N in keyof CachedAnswer]: CachedAnswer[N] } = { status, headers, body };
  if (model !== undefined) answer.model = model;
  if (finishReason !== undefined) answer.finishReason = finishReason;
  if (usage !== undefined) answer.usage = usage;
  return answer;
}

/** Larger answers are not kept. */
const mostBytes = 4 * 1_024 * 1_024;

/** The bytes that passed, unless they were too many: a copy, since they belong to the consumer. */
class Tape {
  #bytes = Buffer.allocUnsafeSlow(4_096);
  #size = 0;

  get text(): string | undefined {
    return this.#size > mostBytes ? undefined : this.#bytes.toString('utf8', 0, this.#size);
  }

  add(piece: Uint8Array): void {
    const from = this.#size;
    this.#size += piece.length;
    if (this.#size > mostBytes) this.#bytes = nothing;
    else {
      if (this.#size > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * this.#size);
      this.#bytes.set(piece, from);
    }
  }
}

const nothing = Buffer.alloc(0);

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
