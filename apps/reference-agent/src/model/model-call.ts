import {
  type LlmEvent,
  type LlmFinish,
  type LlmMessage,
  type LlmProvider,
  type Operation,
  operateStream,
  type RetryPolicy,
} from '@sage-adk/core';
import { errors } from '../errors.ts';

/** Adds up the time that was spent waiting for the model. */
export interface Meter {
  llmMs: number;
}

/** Asks the model for the next turn of a conversation. */
export type ModelCall = (turns: readonly LlmMessage[], signal: AbortSignal, meter: Meter) => AsyncIterable<LlmEvent>;

export interface ModelCallOptions {
  readonly provider: LlmProvider;
  readonly model: string;
  readonly retry: RetryPolicy;
}

/** Calls of one model, each an `llm.call`. It is tried again only until its first event: what a client has seen is never taken back. */
export function createModelCall({ provider, model, retry }: ModelCallOptions): ModelCall {
  const start = { provider: provider.name, model, api: 'chat', stream: true };
  const dependency = `llm.${provider.name}`;

  return (messages, signal, meter) =>
    operateStream('llm.call', start, async function* (operation) {
      const beganMs = performance.now();
      const { events, first } = await retry.execute(
        async ({ attempt, signal: attemptSignal }) => {
          operation.set({ attempts: attempt });
          const stream = provider.stream({ model, messages }, { signal: attemptSignal })[Symbol.asyncIterator]();
          return { events: stream, first: await stream.next() };
        },
        { dependency, signal },
      );
      const firstTokenMs = performance.now() - beganMs;
      operation.set({ firstTokenMs });
      meter.llmMs += firstTokenMs;
      yield* rest(events, first, operation, meter);
    });
}

async function* rest(
  events: AsyncIterator<LlmEvent>,
  first: IteratorResult<LlmEvent>,
  operation: Operation<'llm.call'>,
  meter: Meter,
): AsyncGenerator<LlmEvent> {
  let finish: LlmFinish | undefined;
  try {
    for (let next = first; !next.done;) {
      if (next.value.type === 'finish') finish = next.value;
      yield next.value;
      const askedMs = performance.now();
      next = await events.next();
      meter.llmMs += performance.now() - askedMs;
    }
  } finally {
    if (finish === undefined) await events.return?.();
    else operation.set({ ...finish.usage, finishReason: finish.reason, responseModel: finish.model });
  }
  if (finish === undefined) throw errors.MODEL_FAILED({}, { cause: new Error('The stream ended without a finish.') });
}
