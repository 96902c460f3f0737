import type { LlmAnswer } from '../call.ts';
import type { CachedAnswer } from '../middleware/cache.ts';
import type { AnswerFacts } from '../providers/api.ts';

/** Resolves with the answer as it is kept, once its consumer has read it. Rejects unless all of it was read and it was whole. */
export function record(
  // Not the response itself: whoever listens must not keep alive what nobody reads.
  { result: { status, headers }, progress }: LlmAnswer<Response>,
  resolve: (answer: CachedAnswer) => void,
  reject: (error: unknown) => void,
): void {
  if (progress.listen === undefined) return reject(notWhole());
  /** What came in pieces, unless it is too much: a copy, since they belong to the consumer. */
  let tape = nothing;
  let size = 0;
  progress.listen({
    passed(piece) {
      const from = size;
      size += piece.length;
      if (size > mostBytes) tape = nothing;
      else {
        if (size > tape.length) tape = Buffer.concat([tape], 2 * size + blockBytes);
        tape.set(piece, from);
      }
    },
    finished(whole) {
      const body = whole === undefined ? textOf(tape, size) : textOf(whole.bytes, whole.bytes.length, whole.text);
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
const blockBytes = 4_096;
const nothing = Buffer.alloc(0);

function textOf(bytes: Uint8Array, size: number, text?: string): string | undefined {
  return size > mostBytes ? undefined : (text ?? Buffer.from(bytes.buffer, bytes.byteOffset, size).toString());
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
