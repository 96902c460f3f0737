import type { LlmAnswer } from '../call.ts';
import type { CachedAnswer } from '../middleware/cache.ts';
import { toLatin1 } from './json-text.ts';

/** The answer as it is kept, once its consumer has read it. Rejects unless all of it was read and it was whole. */
export function recorded({ result, progress }: LlmAnswer<Response>): Promise<CachedAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<CachedAnswer>();
  if (progress.listen === undefined) {
    reject(notWhole());
    return promise;
  }
  const tape = new Tape();
  // Not the response itself: whoever listens must not keep alive what nobody reads.
  const { status, headers } = result;
  progress.listen({
    passed: (piece, text) => tape.add(piece, text),
    finished(whole) {
      const text = whole === undefined ? tape.text : bounded(whole());
      // A consumer may leave at the last word, before the end; but not before the last word.
      const { ending } = progress;
      if (ending?.kind !== 'done' || ending.isLeft === true || text === undefined) return reject(notWhole());
      const { usage, model, finishReason } = progress.facts();
      resolve({
        status,
        headers: [...headers].filter(([name]) => !ofTransfer.has(name)),
        body: text,
        ...(model !== undefined && { model }),
        ...(finishReason !== undefined && { finishReason }),
        ...(usage !== undefined && { usage }),
      });
    },
    broke: reject,
  });
  return promise;
}

/** Larger answers are not kept. */
const mostBytes = 4 * 1_024 * 1_024;

/** The bytes that passed, unless they were too many. */
class Tape {
  /** A character for each byte: a copy, since the bytes belong to the consumer, and one that needs no memory outside of the heap. */
  #bytes = '';
  #size = 0;

  get text(): string | undefined {
    return this.#size > mostBytes ? undefined : Buffer.from(this.#bytes, 'latin1').toString();
  }

  add(piece: Uint8Array, text = toLatin1(piece)): void {
    this.#size += piece.length;
    this.#bytes = this.#size <= mostBytes ? this.#bytes + text : '';
  }
}

/** A character is a byte at least. */
function bounded(text: string): string | undefined {
  return text.length > mostBytes ? undefined : text;
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
