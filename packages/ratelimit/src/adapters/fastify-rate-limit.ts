/** A store for @fastify/rate-limit 11: its hits are counted in a store of ours. */
import { requireWhole } from '@sage-adk/core';
import type { Ask } from '../stores/store.ts';
import { askAbout, countOf, createLedger, type DropInOptions, instancesOf, type Ledger } from './ledger.ts';

export type { DropInOptions };

/** What @fastify/rate-limit tells a store about its limits, for a route with `routeInfo`. */
export interface FastifyRateLimitOptions {
  readonly continueExceeding?: boolean | undefined;
  readonly exponentialBackoff?: boolean | undefined;
  readonly routeInfo?: { readonly method?: string | readonly string[]; readonly url?: string } | undefined;
}

/** Hits in the window, and the milliseconds until they are forgotten. */
export interface FastifyRateLimitCount {
  readonly current: number;
  readonly ttl: number;
}

type Tell = (error: Error | null, result?: FastifyRateLimitCount) => void;

/** The store of @fastify/rate-limit 11. A window begins with a key's first hit. */
export interface FastifyRateLimitStore {
  incr(key: string, tell: Tell, timeWindow: number, max: number): void;
  read(key: string, tell: Tell, timeWindow: number, max: number): void;
  /** @param options of a route, a {@link FastifyRateLimitOptions} */
  child(options: object): FastifyRateLimitStore;
}

/** What @fastify/rate-limit makes its stores of. */
export interface FastifyRateLimitStoreClass {
  new (options: FastifyRateLimitOptions): FastifyRateLimitStore;
  /** Ends the store in this process, where there is one. */
  close(): Promise<void>;
}

/** Options of {@link createFastifyRateLimitStore}. */
export interface FastifyRateLimitStoreOptions extends DropInOptions {
  /** The longest that `exponentialBackoff` shuts somebody out, in milliseconds: an address may be that of many. @default 3_600_000 */
  readonly maxBackoffMs?: number;
}

/**
 * Makes a class to hand to @fastify/rate-limit as its `store`. Routes with limits of their own count apart, as with its own stores.
 *
 * In this process it is bounded by `maxKeys`; with a shared store of ours every process counts together. Keys are kept as hashes.
 *
 * @example
 * ```ts
 * await app.register(rateLimit, { max: 100, timeWindow: '1 minute', store: createFastifyRateLimitStore() });
 * ```
 */
export function createFastifyRateLimitStore({
  maxBackoffMs = 3_600_000,
  ...options
}: FastifyRateLimitStoreOptions = {}): FastifyRateLimitStoreClass {
  const ledger = createLedger('fastify-rate-limit', options);
  requireWhole('maxBackoffMs', maxBackoffMs, 1, longestPenaltyMs);
  return class extends DropIn {
    constructor(limits: FastifyRateLimitOptions) {
      super({ ledger, maxBackoffMs, limits, scope: '' });
    }

    static close(): Promise<void> {
      return ledger.close();
    }
  };
}

interface Place {
  readonly ledger: Ledger;
  readonly maxBackoffMs: number;
  readonly limits: FastifyRateLimitOptions;
  /** Begins every key: routes count apart. */
  readonly scope: string;
}

interface Counted extends FastifyRateLimitCount {
  /** How long the key is shut out still. */
  readonly penaltyMs: number;
  /** Milliseconds that a unit of penalty stands for: more than one where this process decides by its part. */
  readonly instances: number;
}

const longestPenaltyMs = 2 ** 31;

class DropIn implements FastifyRateLimitStore {
  readonly #place: Place;
  #children = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  incr(key: string, tell: Tell, timeWindow: number, max: number): void {
    this.#hit(key, timeWindow, max).then((count) => tell(null, count), tell);
  }

  read(key: string, tell: Tell, timeWindow: number, max: number): void {
    this.#count('peek', this.#hits(key, timeWindow, 0), this.#penalty(key, 0), max).then(
      ({ current, ttl }) => tell(null, { current, ttl }),
      tell,
    );
  }

  child(options: object): FastifyRateLimitStore {
    const limits: FastifyRateLimitOptions = options;
    const { method, url = `#${++this.#children}` } = limits.routeInfo ?? {};
    return new DropIn({ ...this.#place, limits, scope: `${this.#place.scope}${String(method ?? '')}${url} ` });
  }

  async #hit(key: string, timeWindow: number, max: number): Promise<FastifyRateLimitCount> {
    const { continueExceeding = false, exponentialBackoff = false } = this.#place.limits;
    const [hit, penalty] = [this.#hits(key, timeWindow, 1), this.#penalty(key, 0)];
    const { current, ttl, penaltyMs, instances } = await this.#count('consume', hit, penalty, max);
    if (current <= max || !(continueExceeding || exponentialBackoff)) return { current, ttl };
    const backoffMs = Math.min(timeWindow * 2 ** (current - max - 1), this.#place.maxBackoffMs);
    const dueMs = Math.ceil(continueExceeding ? timeWindow : backoffMs);
    if (dueMs <= ttl) return { current, ttl };
    // Only what is missing, so that it ends when it should; two hits at once may each add it.
    const missing = { ...penalty, cost: Math.ceil((dueMs - penaltyMs) / instances) };
    await this.#place.ledger.store.decide({ kind: 'consume', asks: [missing], force: true });
    return { current, ttl: dueMs };
  }

  async #count(kind: 'peek' | 'consume', hit: Ask, penalty: Ask, max: number): Promise<Counted> {
    const { findings } = await this.#place.ledger.store.decide({ kind, asks: [hit, penalty] });
    const [hits, left] = findings;
    if (hits === undefined || left === undefined) throw new TypeError('The store answered without findings.');
    const penaltyMs = Math.ceil(left.resetAfterUs / 1_000);
    const count = countOf(hits, hit);
    return {
      // Shut out still, though the window of its hits is over.
      current: penaltyMs > 0 && count <= max ? max + count : count,
      ttl: Math.max(Math.ceil(hits.resetAfterUs / 1_000), penaltyMs),
      penaltyMs,
      instances: instancesOf(left, penalty.rule),
    };
  }

  #hits(key: string, periodMs: number, cost: number): Ask {
    const rule = { name: 'hits', strategy: 'fixed-window', anchored: true, periodMs } as const;
    return this.#ask(rule, key, cost);
  }

  /** Time that somebody is shut out: a bucket in which a unit is a millisecond, and drains in one. */
  #penalty(key: string, cost: number): Ask {
    const rule = { name: 'penalty', strategy: 'token-bucket', limit: 1_000, periodMs: 1_000 } as const;
    return this.#ask({ ...rule, burst: longestPenaltyMs }, key, cost);
  }

  #ask(rule: Parameters<Ledger['rule']>[0], key: string, cost: number): Ask {
    return askAbout(this.#place.ledger.rule(rule), `${this.#place.scope}${key}`, cost);
  }
}
