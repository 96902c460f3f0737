import type { LlmAnswer } from '../call.ts';
import type { CachedAnswer } from '../middleware/cache.ts';
import { relayed } from './relayed.ts';

/** The same answer, whose body is kept while it is read. `kept` rejects unless all of it was read and it was whole. */
export function recorded({ result, progress }: LlmAnswer<Response>): {
  readonly answer: LlmAnswer<Response>;
  readonly kept: Promise<CachedAnswer>;
} {
  const keeping = Promise.withResolvers<CachedAnswer>();
  if (result.body === null) {
    keeping.reject(notWhole());
    return { answer: { result, progress }, kept: keeping.promise };
  }
  const tape = new Tape();
  const finish = (): void => {
    const { bytes } = tape;
    // A consumer may leave at the last word, before the end.
    if (progress.ending?.kind !== 'done' || bytes === undefined) return keeping.reject(notWhole());
    const { usage, model, finishReason } = progress.facts();
    keeping.resolve({
      status: result.status,
      headers: [...result.headers].filter(([name]) => !ofTransfer.has(name)),
      body: bytes.toString(),
      ...(model !== undefined && { model }),
      ...(finishReason !== undefined && { finishReason }),
      ...(usage !== undefined && { usage }),
    });
  };
  const body = taped(result.body, tape, { finish, fail: keeping.reject });
  return { answer: { result: relayed(result, body), progress }, kept: keeping.promise };
}

/** Larger answers are not kept. */
const mostBytes = 4 * 1_024 * 1_024;

/** The bytes that passed, unless they were too many. */
class Tape {
  #chunks: Uint8Array[] = [];
  #size = 0;

  get bytes(): Buffer | undefined {
    return this.#size > mostBytes ? undefined : Buffer.concat(this.#chunks);
  }

  /** Copies: the bytes belong to the consumer. */
  add(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size <= mostBytes) this.#chunks.push(chunk.slice());
    else this.#chunks = [];
  }
}

interface Listener {
  /** The consumer wants no more, or there is no more. */
  finish(): void;
  fail(error: unknown): void;
}

function taped(source: ReadableStream<Uint8Array>, tape: Tape, listener: Listener): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            listener.finish();
            controller.close();
          } else {
            tape.add(value);
            controller.enqueue(value);
          }
        } catch (error) {
          listener.fail(error);
          throw error;
        }
      },
      async cancel(reason) {
        await reader.cancel(reason);
        listener.finish();
      },
    },
    { highWaterMark: 0 },
  );
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
