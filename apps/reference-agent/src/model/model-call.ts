import {
  type BreakerPolicy,
  type EndOf,
  type LimitSubject,
  type LlmCallMark,
  type LlmEvent,
  type LlmFinish,
  type LlmMessage,
  type LlmProvider,
  type LlmTool,
  type Operation,
  operateStream,
  type PricePort,
  type RetryAttempt,
  type RetryPolicy,
  run,
  type Usage,
} from '@sage-adk/core';
import { errors } from '../errors.ts';
import { type Account, costOf, type ModelLimits, openAccount } from './account.ts';
import { TryPermits } from './try-permits.ts';

/** Adds up the time that was spent waiting for the model. */
export interface Meter {
  llmMs: number;
}

/** For whom a model is asked. */
export interface ModelCaller {
  readonly subject: LimitSubject;
  readonly signal: AbortSignal;
  readonly meter: Meter;
  /** Nobody sees anything of the answer before all of it is there, so what breaks off within can still be answered by somebody else. @default false */
  readonly whole?: boolean | undefined;
}

/** Asks the model for the next turn of a conversation. */
export type ModelCall = (turns: readonly LlmMessage[], caller: ModelCaller) => AsyncIterable<LlmEvent>;

export interface ModelCallOptions {
  readonly provider: LlmProvider;
  readonly model: string;
  /** Longest answer, in tokens. */
  readonly maxOutputTokens: number;
  readonly retry: RetryPolicy;
  /** Leaves a provider alone that failed too often. */
  readonly breaker?: BreakerPolicy | undefined;
  /** What the model may call. @default nothing */
  readonly tools?: readonly LlmTool[] | undefined;
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
  const { provider, model, breaker, tools = [], maxOutputTokens } = options;
  const start = { provider: provider.name, model, api: 'chat', stream: true };
  const dependency = `llm.${provider.name}`;

  return (messages, { subject, signal, meter }) =>
    operateStream('llm.call', start, async function* (operation) {
      const request = { model, messages, maxOutputTokens, ...(tools.length > 0 && { tools }) };
      const account = await openFor(options, request, subject, signal);
      const mark = new Mark(operation, ({ usage, model: answered }) =>
        costOf(options.price, provider.name, [answered, model], usage),
      );
      const permits = new TryPermits({ breaker, provider: provider.name, dependency, signal });
      try {
        // Before anything is tried: a call that is refused at once is no try.
        permits.take();
        const beganMs = performance.now();
        const answer = await begin(options, { request, dependency, signal, account, mark, permits });
        const firstTokenMs = performance.now() - beganMs;
        operation.set({ firstTokenMs });
        meter.llmMs += firstTokenMs;
        yield* rest({ ...answer, account, mark, meter });
        permits.succeed();
      } catch (error) {
        permits.fail(error);
        throw error;
      } finally {
        permits.release();
        mark.close();
        await account?.close(mark.lost, mark.told);
      }
    });
}

interface Beginning {
  readonly request: Parameters<typeof openAccount>[0]['request'];
  readonly dependency: string;
  readonly signal: AbortSignal;
  readonly account: Account | undefined;
  readonly mark: Mark;
  readonly permits: TryPermits;
}

/** Asks until a first event came. */
async function begin(options: ModelCallOptions, beginning: Beginning): Promise<Pick<Answer, 'events' | 'first'>> {
  const { dependency, signal, account, mark, permits } = beginning;
  const once = async ({ attempt, signal: attemptSignal }: RetryAttempt) => {
    if (attempt > 1) {
      permits.take();
      await account?.again(mark.lost);
    }
    // A layer inside that makes the try counts it.
    mark.attempts = attempt - 1;
    return mark.inside(() => firstOf(options, beginning, attempt, attemptSignal));
  };
  try {
    return await options.retry.execute(once, { dependency, signal });
  } catch (error) {
    throw permits.reasonOf(error);
  }
}

/** One try. */
async function firstOf(
  { provider }: ModelCallOptions,
  { request, account, mark, permits }: Beginning,
  attempt: number,
  signal: AbortSignal,
): Promise<Pick<Answer, 'events' | 'first'>> {
  const wanted = account === undefined ? request : { ...request, maxOutputTokens: account.maxOutputTokens };
  try {
    const events = provider.stream(wanted, { signal })[Symbol.asyncIterator]();
    return { events, first: await events.next() };
  } catch (error) {
    // Now, and not after the wait for the next try: it may be the one that opens the breaker.
    permits.fail(error);
    throw error;
  } finally {
    if (mark.attempts < attempt) mark.attempts = attempt;
  }
}

async function openFor(
  { limiter, price, provider }: ModelCallOptions,
  request: Parameters<typeof openAccount>[0]['request'],
  subject: LimitSubject,
  signal: AbortSignal,
): Promise<Account | undefined> {
  return limiter && openAccount({ limiter, price, provider: provider.name, request, subject, signal });
}

/** Tells layers inside the provider, such as `wrapFetch`, that the call is reported, limited, tried again and kept from a provider that rests here. */
class Mark implements LlmCallMark {
  open = true;
  lost = 0;
  /** What layers inside learned of the usage. */
  told: Partial<Usage> = {};
  readonly steps: ReadonlySet<string> = new Set(['observe', 'reserve', 'breaker', 'retry']);
  readonly #operation: Operation<'llm.call'>;
  readonly #costOf: (finish: LlmFinish) => bigint | undefined;
  #attempts = 0;
  #ended = false;

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

  learn(facts: EndOf<'llm.call'>): void {
    if (!this.open) return;
    this.told = { ...this.told, ...facts };
    this.#operation.set(facts);
  }

  /** Of a call that broke off, the cost of what was told of it. */
  close(): void {
    this.open = false;
    const { inputTokens, outputTokens } = this.told;
    if (this.#ended || inputTokens === undefined || outputTokens === undefined) return;
    const usage = { ...this.told, inputTokens, outputTokens };
    const costNanoUsd = this.#costOf({ type: 'finish', reason: 'other', usage, model: '' });
    if (costNanoUsd !== undefined) this.#operation.set({ costNanoUsd });
  }

  ended(finish: LlmFinish): void {
    this.#ended = true;
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
