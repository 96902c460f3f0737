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
  /**
   * Before another try: tries that came to nothing but may be billed are paid, and what the next one may use is taken anew.
   *
   * @param lost how many of them there were in all. Throws where the limits refuse.
   */
  again(lost: number): Promise<void>;
  /** Takes note of what the model said. */
  saw(event: LlmEvent): void;
  /**
   * Settles: by the usage that the model told at its end, else by an estimate of what came. A call that failed before anything came costs nothing; one
   * that was given up may cost its input.
   *
   * @param told what layers inside learned of a call without an end.
   */
  close(lost?: number, told?: Partial<Usage>): Promise<void>;
}

/** Takes what a call may use at most: an estimate of its input, and the longest answer, less where the limits have less left. Throws where they refuse. */
export async function openAccount(options: AccountOptions): Promise<Account> {
  const account = new OpenAccount(options);
  await account.open();
  return account;
}

async function take(options: AccountOptions, inputTokens: number): Promise<LimitGrant> {
  const { limiter, price, provider, request, subject, signal } = options;
  const { model, maxOutputTokens: outputTokens } = request;
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
  return grant;
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
  maxOutputTokens: number;
  readonly #options: AccountOptions;
  readonly #inputTokens: number;
  #grant: LimitGrant | undefined;
  #paid = 0;
  #finish: LlmFinish | undefined;
  #pieces = 0;
  #bytes = 0;

  constructor(options: AccountOptions) {
    const { messages, tools, maxOutputTokens } = options.request;
    this.maxOutputTokens = maxOutputTokens;
    this.#options = options;
    this.#inputTokens = estimateTokens(Buffer.byteLength(JSON.stringify(messages) + (JSON.stringify(tools) ?? '')));
  }

  async open(): Promise<void> {
    this.#grant = await take(this.#options, this.#inputTokens);
    this.maxOutputTokens = this.#grant.outputTokens ?? this.#options.request.maxOutputTokens;
  }

  async again(lost: number): Promise<void> {
    if (lost === this.#paid) return;
    await this.close(lost);
    await this.open();
  }

  saw(event: LlmEvent): void {
    if (event.type === 'finish') this.#finish = event;
    else {
      this.#pieces++;
      this.#bytes += Buffer.byteLength(event.type === 'text' ? event.text : event.call.arguments);
    }
  }

  async close(lost = 0, told?: Partial<Usage>): Promise<void> {
    const grant = this.#grant;
    this.#grant = undefined;
    const used = this.#used(told, lost > this.#paid);
    const inputOfLost = (lost - this.#paid) * this.#inputTokens;
    this.#paid = lost;
    const models = [this.#finish?.model ?? this.#options.request.model, this.#options.request.model];
    try {
      if (used === undefined && inputOfLost === 0) await grant?.cancel();
      else await grant?.settle(costsOf(withInput(used, inputOfLost), models, this.#options));
    } catch (error) {
      // The call is over, whatever the storage says to that.
      emit('error.critical', { source: 'limits', reason: 'settle_failed', message: String(error) });
    }
  }

  #used(told: Partial<Usage> = {}, isLost = false): Usage | undefined {
    if (this.#finish !== undefined) return this.#finish.usage;
    const { inputTokens = this.#inputTokens } = told;
    const isNothing = this.#pieces === 0 && told.outputTokens === undefined;
    if (isNothing && (isLost || !this.#options.signal.aborted)) return undefined;
    // A piece is a token at least.
    const came = Math.max(this.#pieces, estimateTokens(this.#bytes), told.outputTokens ?? 0);
    return { inputTokens, outputTokens: Math.min(came, this.maxOutputTokens) };
  }
}

function withInput(usage: Usage = { inputTokens: 0, outputTokens: 0 }, more: number): Usage {
  return { ...usage, inputTokens: usage.inputTokens + more };
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
