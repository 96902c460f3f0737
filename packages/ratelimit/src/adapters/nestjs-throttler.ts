/** A storage for @nestjs/throttler 6: its hits are counted in a store of ours. */
import type { Ask, Finding } from '../stores/store.ts';
import { askAbout, createLedger, type DropInOptions, type Ledger } from './ledger.ts';

export type { DropInOptions };

/** Times are in whole seconds, rounded up. */
export interface ThrottlerRecord {
  readonly totalHits: number;
  /** Until nothing is used. */
  readonly timeToExpire: number;
  readonly isBlocked: boolean;
  /** 0 where it isn't. */
  readonly timeToBlockExpire: number;
}

/** The `ThrottlerStorage` of @nestjs/throttler 6. */
export interface ThrottlerStorage {
  /**
   * Counts a hit, if the key has fewer than `limit` in the `ttl` milliseconds before. The one that finds no room blocks the key for `blockDuration`
   * milliseconds, after which it starts with nothing used; where that is 0, until there is room.
   */
  increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord>;
  onApplicationShutdown(): Promise<void>;
}

/**
 * Makes a storage for @nestjs/throttler.
 *
 * Hits are counted in a sliding window. In this process it is bounded by `maxKeys`; with a shared store of ours every process counts together.
 *
 * @example
 * ```ts
 * ThrottlerModule.forRoot({ throttlers: [{ ttl: 60_000, limit: 100 }], storage: createThrottlerStorage() });
 * ```
 */
export function createThrottlerStorage(options: DropInOptions = {}): ThrottlerStorage {
  const ledger = createLedger('nestjs-throttler', options);
  return {
    async increment(key, ttl, limit, blockDuration, throttlerName) {
      if (!(limit >= 1)) return blocked(limit, Math.max(ttl, blockDuration));
      const asks = asksOf(ledger, { key: `${throttlerName} ${key}`, ttl, limit: Math.floor(limit), blockDuration });
      return increment(ledger, asks, limit, blockDuration);
    },
    onApplicationShutdown: () => ledger.close(),
  };
}

interface Asks {
  readonly hit: Ask;
  /** A window that a block begins; missing where there are no blocks. */
  readonly block: Ask | undefined;
}

interface Hit {
  readonly key: string;
  readonly ttl: number;
  readonly limit: number;
  readonly blockDuration: number;
}

function asksOf(ledger: Ledger, { key, ttl, limit, blockDuration }: Hit): Asks {
  const hits = ledger.rule({ name: 'hits', strategy: 'sliding-window', limit, periodMs: ttl });
  if (!(blockDuration > 0)) return { hit: askAbout(hits, key, 1), block: undefined };
  const blocks = ledger.rule({ name: 'block', strategy: 'fixed-window', anchored: true, periodMs: blockDuration });
  return { hit: askAbout(hits, key, 1), block: askAbout(blocks, key, 0) };
}

async function increment(
  { store }: Ledger,
  { hit, block }: Asks,
  limit: number,
  blockDuration: number,
): Promise<ThrottlerRecord> {
  const { findings, allowed } = await store.decide({
    kind: 'consume',
    asks: block === undefined ? [hit] : [hit, block],
  });
  const [hits, blocks] = findings;
  if (hits === undefined) throw new TypeError('The store answered without a finding.');
  const isBlocked = blocks !== undefined && blocks.remaining < blocks.rule.limit;
  if (allowed && !isBlocked) return open(hits);
  if (block === undefined) return blocked(limit, (hits.retryAfterUs ?? 0) / 1_000);
  if (!isBlocked) await store.decide({ kind: 'consume', asks: [{ ...block, cost: 1 }] });
  // Who is blocked starts with nothing used afterwards; hits of the time between don't count.
  await store.reset([hit]);
  return blocked(limit, isBlocked ? blocks.resetAfterUs / 1_000 : blockDuration);
}

function open({ rule, remaining, resetAfterUs }: Finding): ThrottlerRecord {
  return {
    totalHits: rule.limit - remaining,
    timeToExpire: seconds(resetAfterUs / 1_000),
    isBlocked: false,
    timeToBlockExpire: 0,
  };
}

function blocked(limit: number, waitMs: number): ThrottlerRecord {
  return {
    totalHits: Math.max(0, limit) + 1,
    timeToExpire: seconds(waitMs),
    isBlocked: true,
    timeToBlockExpire: seconds(waitMs),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
