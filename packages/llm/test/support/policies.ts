/** Policies as small as their contracts allow. */
import type {
  BreakerPolicy,
  LimitCosts,
  LimitDenial,
  LimiterPolicy,
  LimitGrant,
  LimitReserveOptions,
  LimitSubject,
  PricePort,
  RetryPolicy,
} from '@sage-adk/core';
import type { AnswerCache, CachedAnswer, CacheRequest } from '../../src/middleware/cache.ts';

/** One nano-dollar for an input token, ten for one of output. */
export const unitPrice: PricePort = {
  costNanoUsd: ({ model, usage }) =>
    model.startsWith('unpriced') ? undefined : BigInt(usage.inputTokens) + 10n * BigInt(usage.outputTokens),
};

export interface Reserved {
  readonly subject: LimitSubject;
  readonly asked: LimitCosts;
  /** What was granted. */
  readonly estimate: LimitCosts;
  readonly options: LimitReserveOptions;
  /** What it ended with; undefined while it is held. */
  end: LimitCosts | 'cancelled' | undefined;
  /** How often it was told to end. */
  ends: number;
}

export interface Purse extends LimiterPolicy {
  readonly reserved: readonly Reserved[];
  readonly spentNanoUsd: bigint;
  readonly heldNanoUsd: bigint;
}

/** A limiter of money that is never overdrawn, where what is settled is no more than what was reserved. */
export function createPurse(limitNanoUsd: bigint, { loseLeases = false } = {}): Purse {
  const reserved: Reserved[] = [];
  const costOf = (one: Reserved): bigint => {
    if (one.end === 'cancelled') return 0n;
    return (one.end ?? one.estimate).costNanoUsd ?? 0n;
  };
  const sum = (isHeld: boolean): bigint =>
    reserved.reduce((total, one) => ((one.end === undefined) === isHeld ? total + costOf(one) : total), 0n);
  const denial = (retryAfterMs: number | undefined): LimitDenial => ({
    allowed: false,
    rule: 'purse',
    limit: Number(limitNanoUsd),
    remaining: Number(limitNanoUsd - sum(true) - sum(false)),
    resetAtMs: 1_696_809_600_000,
    retryAfterMs,
  });
  return {
    reserved,
    get spentNanoUsd() {
      return sum(false);
    },
    get heldNanoUsd() {
      return sum(true);
    },
    async reserve(subject, estimate, options = {}) {
      const left = limitNanoUsd - sum(true) - sum(false);
      const asked = estimate.costNanoUsd ?? 0n;
      const outputTokens = granted(estimate, left, options);
      if (outputTokens === undefined) return denial(asked > limitNanoUsd ? undefined : 41_500);
      const cost = asked > left ? left : asked;
      const granting = { ...estimate, outputTokens, costNanoUsd: cost };
      const one: Reserved = { subject, asked: estimate, estimate: granting, options, end: undefined, ends: 0 };
      reserved.push(one);
      const end = async (how: LimitCosts | 'cancelled'): Promise<void> => {
        one.ends++;
        one.end ??= how;
        if (loseLeases) throw new Error('The lease is over.');
      };
      const grant: LimitGrant = { allowed: true, settle: (actual) => end(actual), cancel: () => end('cancelled') };
      return outputTokens === estimate.outputTokens ? grant : { ...grant, outputTokens };
    },
  };
}

function granted(
  { costNanoUsd = 0n, outputTokens = 0 }: LimitCosts,
  left: bigint,
  { onDenied, outputTokenNanoUsd }: LimitReserveOptions,
): number | undefined {
  if (costNanoUsd <= left) return outputTokens;
  if (onDenied !== 'clamp' || outputTokenNanoUsd === undefined) return undefined;
  const fewer = outputTokens - Math.ceil(Number(costNanoUsd - left) / outputTokenNanoUsd);
  return fewer < 1 ? undefined : fewer;
}

/** Tries so often, without a wait, whatever the error; keeps what it saw. */
export function createRetries(most: number): RetryPolicy & { readonly seen: unknown[] } {
  const seen: unknown[] = [];
  return {
    seen,
    async execute(call, { signal = new AbortController().signal } = {}) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await call({ attempt, signal });
        } catch (error) {
          seen.push(error);
          if (attempt === most || signal.aborted) throw error;
        }
      }
    },
  };
}

/** A breaker that writes down the words of its permits, and is open while `isOpen`. */
export function createFuse(): BreakerPolicy & { isOpen: boolean; readonly words: unknown[] } {
  const fuse = {
    isOpen: false,
    words: [] as unknown[],
    tryAcquire(dependency: string) {
      if (fuse.isOpen) return undefined;
      fuse.words.push(dependency);
      let isOver = false;
      const say = (word: unknown): void => {
        if (!isOver) fuse.words.push(word);
        isOver = true;
      };
      return { succeed: () => say('succeed'), fail: (error: unknown) => say(error), release: () => say('release') };
    },
  };
  return fuse;
}

export interface Shelf extends AnswerCache {
  readonly kept: Map<string, CachedAnswer>;
  readonly asked: { readonly input: CacheRequest; readonly scope: string | undefined }[];
  /** Serves what it has, and asks for a new one all the same. */
  isStale: boolean;
}

/** Keeps answers by their request, and makes one call of many that ask for the same at once. */
export function createShelf(): Shelf {
  const flights = new Map<string, Promise<CachedAnswer>>();
  const shelf: Shelf = {
    kept: new Map(),
    asked: [],
    isStale: false,
    async wrap(input, call, { scope } = {}) {
      shelf.asked.push({ input, scope });
      const key = JSON.stringify([scope, input]);
      const kept = shelf.kept.get(key);
      if (kept !== undefined && !shelf.isStale) return { value: kept, source: 'cache' };
      const flight = flights.get(key);
      if (flight !== undefined) return { value: await flight, source: 'cache' };
      const calling = call();
      flights.set(key, calling);
      const settling = calling.then((value) => shelf.kept.set(key, value)).finally(() => flights.delete(key));
      settling.catch(() => {});
      if (kept !== undefined) return { value: kept, source: 'stale' };
      return { value: await calling, source: 'call' };
    },
  };
  return shelf;
}
