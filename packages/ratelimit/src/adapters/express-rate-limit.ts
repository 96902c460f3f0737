/** A store for express-rate-limit 8, which hono-rate-limiter 0.5 takes as well: its hits are counted in a store of ours. */
import { requireNumber, systemClock } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import { freshId } from '../fresh-id.ts';
import type { Ask, Finding } from '../stores/store.ts';
import { askAbout, countOf, createLedger, type DropInOptions, type Ledger } from './ledger.ts';
import { createRevocable, type Revocable } from './revocable.ts';

export type { DropInOptions };

/** What express-rate-limit tells a store about its limiter. */
export interface ExpressRateLimitOptions {
  readonly windowMs: number;
  readonly skipFailedRequests?: boolean;
  readonly skipSuccessfulRequests?: boolean;
}

/** What express-rate-limit is told of a key. */
export interface ExpressRateLimitInfo {
  readonly totalHits: number;
  readonly resetTime: Date;
}

/** The `Store` of express-rate-limit 8. A window begins with a key's first hit. Each limiter needs a store of its own. */
export interface ExpressRateLimitStore {
  /** Whether the counts are in this process alone. */
  readonly localKeys: boolean;
  readonly prefix: string;
  init(options: ExpressRateLimitOptions): void;
  get(key: string): Promise<ExpressRateLimitInfo | undefined>;
  increment(key: string): Promise<ExpressRateLimitInfo>;
  /** Takes back the key's last hit, if it was counted here, in the window of now and at most ten minutes ago. */
  decrement(key: string): Promise<void>;
  resetKey(key: string): Promise<void>;
  /** Only where the counts are local: in a shared store they belong to others too. */
  readonly resetAll?: () => Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * Makes a store for one limiter of express-rate-limit.
 *
 * In this process it is bounded by `maxKeys`; with a shared store of ours every process counts together. Keys are kept as hashes.
 *
 * @example
 * ```ts
 * app.use(rateLimit({ windowMs: 60_000, limit: 100, store: createExpressRateLimitStore() }));
 * ```
 */
export function createExpressRateLimitStore(options: DropInOptions = {}): ExpressRateLimitStore {
  return new DropIn(createLedger('express-rate-limit', options), options);
}

const longestResponseMs = 600_000;

// A class, since express-rate-limit tells stores that count a request twice apart by the names of their classes.
class DropIn implements ExpressRateLimitStore {
  readonly localKeys: boolean;
  readonly prefix: string;
  readonly resetAll?: () => Promise<void>;
  readonly #ledger: Ledger;
  readonly #maxKeys: number;
  readonly #clock: NonNullable<DropInOptions['clock']>;
  #rule: CompiledRule;
  #ttlMs = longestResponseMs;
  #revocable: Revocable | undefined;
  /** Part of every key: counts of an earlier one are never looked at again. */
  #era = 0;

  constructor(ledger: Ledger, { maxKeys = 100_000, clock = systemClock }: DropInOptions) {
    this.#ledger = ledger;
    this.#maxKeys = maxKeys;
    this.#clock = clock;
    this.localKeys = ledger.isLocal;
    this.prefix = ledger.prefix;
    this.#rule = this.#ruleOf(60_000);
    if (ledger.isLocal) this.resetAll = async () => void this.#era++;
  }

  init({ windowMs, skipFailedRequests = false, skipSuccessfulRequests = false }: ExpressRateLimitOptions): void {
    this.#rule = this.#ruleOf(requireNumber('windowMs', windowMs, 1));
    if (!skipFailedRequests && !skipSuccessfulRequests) return;
    this.#ttlMs = Math.min(windowMs, longestResponseMs);
    this.#revocable = createRevocable(this.#ttlMs, this.#maxKeys, this.#clock);
  }

  async get(key: string): Promise<ExpressRateLimitInfo | undefined> {
    const ask = this.#ask(key, 0);
    const { findings } = await this.#ledger.store.decide({ kind: 'peek', asks: [ask] });
    const info = infoOf(ask, findings);
    return info.totalHits === 0 ? undefined : info;
  }

  async increment(key: string): Promise<ExpressRateLimitInfo> {
    const ask = this.#ask(key, 1);
    const { store } = this.#ledger;
    if (this.#revocable === undefined) {
      return infoOf(ask, (await store.decide({ kind: 'consume', asks: [ask] })).findings);
    }
    const id = freshId();
    const ttlUs = Math.ceil(this.#ttlMs * 1_000);
    const { findings } = await store.decide({ kind: 'reserve', asks: [ask], id, ttlUs, maxWaitUs: 0 });
    this.#revocable.add(key, id);
    return infoOf(ask, findings);
  }

  async decrement(key: string): Promise<void> {
    const id = this.#revocable?.take(key);
    if (id !== undefined) await this.#ledger.store.settle({ id, asks: [this.#ask(key, 0)] });
  }

  async resetKey(key: string): Promise<void> {
    await this.#ledger.store.reset([this.#ask(key, 0)]);
  }

  shutdown(): Promise<void> {
    return this.#ledger.close();
  }

  #ruleOf(periodMs: number): CompiledRule {
    return this.#ledger.rule({ name: 'hits', strategy: 'fixed-window', anchored: true, periodMs });
  }

  #ask(key: string, cost: number): Ask {
    return askAbout(this.#rule, `${this.#era} ${key}`, cost);
  }
}

function infoOf(ask: Ask, [finding]: readonly Finding[]): ExpressRateLimitInfo {
  if (finding === undefined) throw new TypeError('The store answered without a finding.');
  return {
    totalHits: countOf(finding, ask),
    // The time on express-rate-limit's own clock.
    resetTime: new Date(Date.now() + Math.ceil(finding.resetAfterUs / 1_000)),
  };
}
