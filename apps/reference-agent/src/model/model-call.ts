import {
  type LimitSubject,
  type LlmCallMark,
  type LlmEvent,
  type LlmFinish,
  type LlmMessage,
  type LlmProvider,
  type Operation,
  operateStream,
  type PricePort,
  type RetryPolicy,
  run,
} from '@sage-adk/core';
import { errors } from '../errors.ts';
import { type Account, costOf, type ModelLimits, openAccount } from './account.ts';

/** Adds up the time that was spent waiting for the model. */
export interface Meter {
  llmMs: number;
}

/** For whom a model is asked. */
export interface ModelCaller {
  readonly subject: LimitSubject;
  readonly signal: AbortSignal;
  readonly meter: Meter;
}

/** Asks the model for the next turn of a conversation. */
export type ModelCall = (turns: readonly LlmMessage[], caller: ModelCaller) => AsyncIterable<LlmEvent>;

export interface ModelCallOptions {
  readonly provider: LlmProvider;
  readonly model: string;
  /** Longest answer, in tokens. */
  readonly maxOutputTokens: number;
  readonly retry: RetryPolicy;
  /** What a call costs; undefined where nobody knows. */
  readonly price?: PricePort | undefined;
  /** What calls take their tokens and money from; undefined where nothing limits them. */
  readonly limiter?: ModelLimits['limiter'] | undefined;
}

/**
 * Calls of one model, each an `llm.call`, taken from the limits once and before it goes out. It is tried again only until its first event: what a client
 * has seen is never taken back.
 */
export function createModelCall(options: ModelCallOptions): ModelCall {
  const { provider, model, retry, maxOutputTokens } = options;
  const start = { provider: provider.name, model, api: 'chat', stream: true };
  const dependency = `llm.${provider.name}`;

  return (messages, { subject, signal, meter }) =>
    operateStream('llm.call', start, async function* (operation) {
      const request = { model, messages, maxOutputTokens };
      const account = await openFor(options, request, subject, signal);
      const mark = new Mark(operation, ({ usage, model: answered }) =>
        costOf(options.price, provider.name, [answered, model], usage),
      );
      const wanted = account === undefined ? request : { ...request, maxOutputTokens: account.maxOutputTokens };
      const beganMs = performance.now();
      try {
        const { events, first } = await retry.execute(
          async ({ attempt, signal: attemptSignal }) => {
            mark.attempts = attempt;
            return mark.inside(async () => {
              const stream = provider.stream(wanted, { signal: attemptSignal })[Symbol.asyncIterator]();
              return { events: stream, first: await stream.next() };
            });
          },
          { dependency, signal },
        );
        const firstTokenMs = performance.now() - beganMs;
        operation.set({ firstTokenMs });
        meter.llmMs += firstTokenMs;
        yield* rest({ events, first, account, mark, meter });
      } finally {
        mark.open = false;
        await account?.close();
      }
    });
}

async function openFor(
  { limiter, price, provider }: ModelCallOptions,
  request: Parameters<typeof openAccount>[0]['request'],
  subject: LimitSubject,
  signal: AbortSignal,
): Promise<Account | undefined> {
  return limiter && openAccount({ limiter, price, provider: provider.name, request, subject, signal });
}

/** Tells layers inside the provider, such as `wrapFetch`, that the call is reported, limited and tried again here. */
class Mark implements LlmCallMark {
  open = true;
  readonly steps: ReadonlySet<string> = new Set(['observe', 'reserve', 'retry']);
  readonly #operation: Operation<'llm.call'>;
  readonly #costOf: (finish: LlmFinish) => bigint | undefined;
  #attempts = 0;

  constructor(operation: Operation<'llm.call'>, costOfFinish: (finish: LlmFinish) => bigint | undefined) {
    this.#operation = operation;
    this.#costOf = costOfFinish;
  }

  get attempts(): number {
    return this.#attempts;
  }

  set attempts(count: number) {
    this.#attempts = count;
    this.#operation.set({ attempts: count });
  }

  learn(facts: Parameters<LlmCallMark['learn']>[0]): void {
    if (this.open) this.#operation.set(facts);
  }

  ended(finish: LlmFinish): void {
    const { usage, reason: finishReason, model: responseModel } = finish;
    const costNanoUsd = this.#costOf(finish);
    this.#operation.set({ ...usage, finishReason, responseModel, ...(costNanoUsd !== undefined && { costNanoUsd }) });
  }

  inside<T>(call: () => T): T {
    return run({ llmCall: this }, call);
  }
}

interface Answer {
  readonly events: AsyncIterator<LlmEvent>;
  readonly first: IteratorResult<LlmEvent>;
  readonly account: Account | undefined;
  readonly mark: Mark;
  readonly meter: Meter;
}

async function* rest({ events, first, account, mark, meter }: Answer): AsyncGenerator<LlmEvent> {
  let finish: LlmFinish | undefined;
  try {
    for (let next = first; !next.done;) {
      if (next.value.type === 'finish') finish = next.value;
      account?.saw(next.value);
      yield next.value;
      const askedMs = performance.now();
      next = await mark.inside(() => events.next());
      meter.llmMs += performance.now() - askedMs;
    }
  } finally {
    if (finish === undefined) await events.return?.();
    else mark.ended(finish);
  }
  if (finish === undefined) throw errors.MODEL_FAILED({}, { cause: new Error('The stream ended without a finish.') });
}
