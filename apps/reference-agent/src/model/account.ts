/** What one call of a model takes from the limits before it goes out, and what of that it used. */
import {
  emit,
  type LimitCosts,
  type LimiterPolicy,
  type LimitGrant,
  type LimitSubject,
  type LlmEvent,
  type LlmFinish,
  type LlmRequest,
  type PricePort,
  type Usage,
} from '@sage-adk/core';
import { refusalOfDenial } from '../limits/refusal.ts';

export interface ModelLimits {
  readonly limiter: LimiterPolicy;
  /** What calls cost; undefined where nobody knows. */
  readonly price: PricePort | undefined;
}

export interface AccountOptions extends ModelLimits {
  readonly provider: string;
  readonly request: LlmRequest & Required<Pick<LlmRequest, 'maxOutputTokens'>>;
  readonly subject: LimitSubject;
  readonly signal: AbortSignal;
}

/** The account of one call, however often it is tried. */
export interface Account {
  /** The longest answer that was granted, in tokens. */
  readonly maxOutputTokens: number;
  /** Takes note of what the model said. */
  saw(event: LlmEvent): void;
  /**
   * Settles: by the usage that the model told at its end, else by an estimate of what came. A call that failed before anything came costs nothing; one
   * that was given up may cost its input.
   */
  close(): Promise<void>;
}

/** Takes what a call may use at most: an estimate of its input, and the longest answer, less where the limits have less left. Throws where they refuse. */
export async function openAccount(options: AccountOptions): Promise<Account> {
  const { limiter, price, provider, request, subject, signal } = options;
  const { model, maxOutputTokens: outputTokens } = request;
  const inputTokens = estimateTokens(Buffer.byteLength(JSON.stringify(request.messages)));
  const million = price?.costNanoUsd({ provider, model, usage: { inputTokens: 0, outputTokens: 1_000_000 } });
  const grant = await limiter.reserve(
    { ...subject, provider, model },
    costsOf({ inputTokens, outputTokens }, [model], options),
    {
      signal,
      onDenied: 'clamp',
      ...(million !== undefined && million > 0n && { outputTokenNanoUsd: Number(million) / 1e6 }),
    },
  );
  if (!grant.allowed) throw refusalOfDenial(grant);
  return new OpenAccount(options, grant, inputTokens);
}

/** What `usage` counts and costs, by the first of `models` that has a price. */
export function costOf(
  price: PricePort | undefined,
  provider: string,
  models: readonly string[],
  usage: Usage,
): bigint | undefined {
  for (const model of models) {
    const cost = price?.costNanoUsd({ provider, model, usage });
    if (cost !== undefined) return cost;
  }
  return undefined;
}

class OpenAccount implements Account {
  readonly maxOutputTokens: number;
  readonly #options: AccountOptions;
  readonly #grant: LimitGrant;
  readonly #inputTokens: number;
  #finish: LlmFinish | undefined;
  #pieces = 0;
  #bytes = 0;

  constructor(options: AccountOptions, grant: LimitGrant, inputTokens: number) {
    this.maxOutputTokens = grant.outputTokens ?? options.request.maxOutputTokens;
    this.#options = options;
    this.#grant = grant;
    this.#inputTokens = inputTokens;
  }

  saw(event: LlmEvent): void {
    if (event.type === 'finish') this.#finish = event;
    else {
      this.#pieces++;
      this.#bytes += Buffer.byteLength(event.type === 'text' ? event.text : event.call.arguments);
    }
  }

  async close(): Promise<void> {
    try {
      const used = this.#used();
      await (used === undefined ? this.#grant.cancel() : this.#grant.settle(used));
    } catch (error) {
      // The call is over, whatever the storage says to that.
      emit('error.critical', { source: 'limits', reason: 'settle_failed', message: String(error) });
    }
  }

  #used(): LimitCosts | undefined {
    const { request, signal } = this.#options;
    const { model } = request;
    if (this.#finish !== undefined) return costsOf(this.#finish.usage, [this.#finish.model, model], this.#options);
    if (this.#pieces === 0 && !signal.aborted) return undefined;
    // A piece is a token at least.
    const came = Math.max(this.#pieces, estimateTokens(this.#bytes));
    const outputTokens = Math.min(came, this.maxOutputTokens);
    return costsOf({ inputTokens: this.#inputTokens, outputTokens }, [model], this.#options);
  }
}

function costsOf(usage: Usage, models: readonly string[], { price, provider }: AccountOptions): LimitCosts {
  const { inputTokens, outputTokens } = usage;
  const costNanoUsd = costOf(price, provider, models, usage);
  return {
    requests: 1,
    tokens: inputTokens + outputTokens,
    inputTokens,
    outputTokens,
    ...(costNanoUsd !== undefined && { costNanoUsd }),
  };
}

/** Tokenizers make a token of 3 to 4.5 bytes of most languages; this is rather too high than too low. */
function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / 3);
}
