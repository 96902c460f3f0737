/**
 * Many streamed calls at once against one budget, through several limiters that share a store, with a provider that fails now and then and clients that leave.
 * Three books are kept: what the limiter counts, what was settled with it, and what the provider bills.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitCosts, LimiterPolicy } from '@sage-adk/core';
import { createSeededRandom } from '@sage-adk/core/testing';
import { createPriceTable, wrapFetch } from '@sage-adk/llm';
import { createFaultyProvider, type Front } from '@sage-adk/llm/testing';
import { createRateLimiter, type LimiterStore, type RateLimiter, type Rule } from '@sage-adk/ratelimit';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';
import { type Ask, asks } from './spending-asks.ts';

export interface SpendingOptions {
  readonly calls: number;
  readonly budgetNanoUsd: bigint;
  /** One for each limiter; all share their state. */
  readonly stores: readonly LimiterStore[];
  readonly seed: number;
  /** When all are over, calls follow one after the other until there is nothing left. @default false */
  readonly usesUp?: boolean;
  /** Reserves nothing, and charges what a call cost when it is over: what the drill must find out. @default false */
  readonly chargesAfterwards?: boolean;
}

export interface SpendingResult {
  readonly calls: number;
  readonly budgetNanoUsd: number;
  /** What the limiter counts in the end. */
  readonly countedNanoUsd: number;
  /** What calls were settled with. */
  readonly settledNanoUsd: number;
  /** What the provider bills for what it answered. */
  readonly billedNanoUsd: number;
  /** Calls by what became of them. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** US dollars for a million tokens. */
const rates = { input: 1, output: 10 };
const inputNanoUsd = 1_000;
const outputNanoUsd = 10_000;
/** No refill within the drill. */
const budgetRule = { name: 'budget', scope: 'global', unit: 'cost', per: 'day', strategy: 'sliding-window' } as const;

const weather: readonly Front[] = [
  { chance: 0.03, behaviour: { status: 503 } },
  { chance: 0.02, behaviour: { hangUp: true } },
  { chance: 0.03, behaviour: { errorEventAt: { contents: 0 } } },
  { chance: 0.03, behaviour: { errorEventAt: { contents: 3 } } },
  { chance: 0.03, behaviour: { endAfter: { contents: 2 } } },
  { chance: 0.05, behaviour: { cutAfter: { contents: 4 } } },
  { chance: 0.03, behaviour: { omitUsage: true } },
];

export async function spending(options: SpendingOptions): Promise<SpendingResult> {
  const { calls, budgetNanoUsd, stores, seed, usesUp = false, chargesAfterwards = false } = options;
  const random = createSeededRandom(seed);
  const words = Array.from({ length: calls }, () => 1 + Math.floor(random() * 60));
  await using provider = await createFaultyProvider({
    seed,
    weather,
    keepRequests: 0,
    respond: ({ serial }) => ({ text: 'word '.repeat(words[serial % calls] ?? 1), tokenDelayMs: serial % 3 }),
  });
  const rule: Rule = { ...budgetRule, limit: Number(budgetNanoUsd) };
  const limiters = stores.map((store) => createRateLimiter({ rules: [rule], store }));
  const book = new Book(chargesAfterwards);
  const price = createPriceTable({
    prices: Object.fromEntries(asks.map(({ provider: name }) => [name, pricesOf(name)])),
  });
  const fetches = limiters.map((limiter) =>
    wrapFetch(fetch, { limiter: book.keep(limiterPolicy(limiter)), price, defaultOutputTokens: 100 }),
  );
  const outcomes: Record<string, number> = {};
  await Promise.all(
    words.map(async (_, call) => {
      const ask = asks[call % asks.length] as Ask;
      const by = fetches[call % fetches.length] as typeof fetch;
      const outcome = await made(by, provider.url, ask, call % 10 === 0);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }),
  );
  if (usesUp) await useUp((ask) => made(fetches[0] as typeof fetch, provider.url, ask, false), calls);
  await provider.idle();
  await book.closed();
  const { inputTokens, outputTokens } = provider.counters;
  const countedNanoUsd = await countedBy(limiters[0] as RateLimiter);
  await Promise.all(limiters.map((limiter) => limiter.close()));
  return {
    calls,
    budgetNanoUsd: Number(budgetNanoUsd),
    countedNanoUsd,
    settledNanoUsd: Number(book.settledNanoUsd),
    billedNanoUsd: inputTokens * inputNanoUsd + outputTokens * outputNanoUsd,
    outcomes,
  };
}

/** A call that names no limit of its own gets what is left, so little remains in the end. */
async function useUp(call: (ask: Ask) => Promise<string>, most: number): Promise<void> {
  let denied = 0;
  for (let calls = 0; calls < most && denied < 2; calls++) {
    const isDenied = (await call(asks[0] as Ask)) === '429';
    denied = isDenied ? denied + 1 : 0;
    // A guarded store remembers a denial for a second.
    if (isDenied && denied < 2) await sleep(1_100);
  }
}

/** Reads an answer to its end, unless the client leaves before. */
async function made(by: typeof fetch, url: string, { path, body }: Ask, leaves: boolean): Promise<string> {
  try {
    const response = await by(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok || !leaves) {
      await response.text();
      return String(response.status);
    }
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    return 'left';
  } catch {
    return 'broken';
  }
}

/** What is settled, and whether all of it is. */
class Book {
  settledNanoUsd = 0n;
  readonly #open = new Set<Promise<void>>();
  readonly #chargesAfterwards: boolean;

  constructor(chargesAfterwards: boolean) {
    this.#chargesAfterwards = chargesAfterwards;
  }

  keep(policy: LimiterPolicy): LimiterPolicy {
    return {
      ...policy,
      reserve: async (subject, estimate, options) => {
        const taken = this.#chargesAfterwards ? { ...estimate, costNanoUsd: 1n } : estimate;
        const grant = await policy.reserve(subject, taken, options);
        if (!grant.allowed) return grant;
        return {
          ...grant,
          settle: (used) => this.#ending(grant.settle(used), used),
          cancel: () => this.#ending(grant.cancel(), {}),
        };
      },
    };
  }

  #ending(ending: Promise<void>, { costNanoUsd = 0n }: LimitCosts): Promise<void> {
    this.settledNanoUsd += costNanoUsd;
    const done = ending.finally(() => this.#open.delete(done));
    this.#open.add(done);
    return done;
  }

  async closed(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }
}

async function countedBy(limiter: RateLimiter): Promise<number> {
  const rows = await limiter.snapshot();
  return rows.reduce((sum, { limit, remaining }) => sum + limit - remaining, 0);
}

function pricesOf(provider: string): Record<string, typeof rates> {
  return Object.fromEntries(asks.filter((ask) => ask.provider === provider).map(({ model }) => [model, rates]));
}
