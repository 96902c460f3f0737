/** A shared store that always answers in time: by itself, or by the policies of the rules while it is away. */
import { type Clock, requireNumber, requireWhole, source, systemClock } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import { errors } from '../errors.ts';
import { hashApiKey } from '../keys.ts';
import { isUnanswered, withinDeadline } from './deadline-call.ts';
import { DenyCache } from './deny-cache.ts';
import { LateSettlement } from './late-settlement.ts';
import { createMemoryStore, type MemoryStore } from './memory.ts';
import { observeDecision, tellsItself } from './observed.ts';
import { PendingCalls } from './pending-calls.ts';
import { decideWithout, sharesOf } from './store-policy.ts';
import { StoreHealth } from './store-health.ts';
import type {
  Answer,
  Ask,
  DecideRequest,
  ExtendRequest,
  Finding,
  Holding,
  LimiterStore,
  Settlement,
  SettleRequest,
} from './store.ts';

/** Options of {@link guardStore}. */
export interface GuardOptions {
  /** How long a decision may wait for the store. @default 50 */
  readonly deadlineMs?: number;
  /** Processes that share the store. While it is away each spends that part of the limits of rules whose policy is `local`. @default 1 */
  readonly instances?: number;
  /** Calls in a row that fail before the store counts as away and is not waited for. @default 3 */
  readonly failures?: number;
  /** While the store is away, one call in so long asks it whether it is back. @default 250 */
  readonly probeMs?: number;
  /** How long a denial is remembered at most, so that the store need not be asked again; 0 for not at all. @default 1_000 */
  readonly denyCacheMs?: number;
  /** Most denials remembered. @default 10_000 */
  readonly denyCacheSize?: number;
  /** In this process: most keys of one scope while the store is away. @default 100_000 */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/**
 * Puts deadlines, policies and a memory for denials around a shared store.
 *
 * Every decision is answered within the deadline. Where the store fails, each rule's `onStoreError` decides and the decision is `degraded`. Settlements that
 * fail are made when the store is back; where a reservation is over by then, what was used beyond it is charged. So is a `charge`, once: one whose answer did
 * not come in time, or was lost with its connection, counts as made. Keys are given to the store as 128-bit hashes. Decisions are operations
 * `limiter.check`; counters are the source `limiter.guard.<kind of store>`.
 *
 * @example
 * ```ts
 * const store = guardStore(createRedisStore({ client }), { instances: 4 });
 * const limiter = createRateLimiter({ rules, store });
 * ```
 */
export function guardStore(store: LimiterStore, options: GuardOptions = {}): LimiterStore {
  return new GuardedStore(store, options);
}

class GuardedStore implements LimiterStore {
  readonly kind: string;
  readonly #store: LimiterStore;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #instances: number;
  readonly #health: StoreHealth;
  readonly #local: MemoryStore;
  readonly #denials: DenyCache;
  readonly #denyCacheUs: number;
  readonly #pending: PendingCalls;
  /** Reservations that were let pass without a count: there is nothing to settle. */
  readonly #uncounted = new Set<string>();
  #forced = 0;
  readonly #counts = { answered: 0, failed: 0, denyCached: 0 };
  readonly #source: Disposable;

  constructor(store: LimiterStore, options: GuardOptions) {
    const { deadlineMs = 50, instances = 1, failures = 3, probeMs = 250 } = options;
    const { denyCacheMs = 1_000, denyCacheSize = 10_000, maxKeys = 100_000, clock = systemClock } = options;
    this.kind = store.kind;
    this.#store = store;
    this.#clock = clock;
    this.#deadlineMs = requireNumber('deadlineMs', deadlineMs, 1);
    this.#instances = requireWhole('instances', instances, 1);
    this.#health = new StoreHealth(requireWhole('failures', failures, 1), requireNumber('probeMs', probeMs, 1), clock);
    this.#local = createMemoryStore({ maxKeys, clock });
    this.#denials = new DenyCache(requireWhole('denyCacheSize', denyCacheSize, 1), { ofRule: true });
    this.#denyCacheUs = requireNumber('denyCacheMs', denyCacheMs, 0) * 1_000;
    this.#pending = new PendingCalls(probeMs, clock);
    tellsItself(this);
    this.#source = source(`limiter.guard.${store.kind}`, () => ({
      ...this.#counts,
      away: Number(this.#health.isAway),
      pending: this.#pending.size,
      dropped: this.#pending.dropped,
      denials: this.#denials.size,
    }));
  }

  decide(request: DecideRequest): Answer | Promise<Answer> {
    return observeDecision(this.kind, request, () => this.#known(request) ?? this.#decide(request));
  }

  async settle(request: SettleRequest): Promise<Settlement> {
    const { id, asks } = request;
    const nothingOver = { settled: true, over: asks.map(() => 0) };
    if (this.#uncounted.delete(id)) return nothingOver;
    const local = this.#local.settle({ id, asks: this.#shares(asks) });
    if (local.settled) return local;
    const settlement = new LateSettlement(request, {
      clock: this.#clock,
      settle: () => this.#settle(id, asks),
      charge: (excess) => this.#call(() => this.#store.decide({ kind: 'consume', asks: hashed(excess), force: true })),
    });
    try {
      if (this.#health.mayAsk()) return await settlement.try();
    } catch {
      // As while the store is away.
    }
    // It is settled when the store is back; its id makes sure that it is settled once.
    this.#pending.add(id, () => settlement.tryAgain());
    return nothingOver;
  }

  async extend({ id, asks, ttlUs }: ExtendRequest): Promise<boolean> {
    if (this.#uncounted.has(id) || this.#local.extend({ id, asks: this.#shares(asks), ttlUs })) return true;
    return this.#call(() => this.#store.extend({ id, asks: hashed(asks), ttlUs }));
  }

  async reset(asks: readonly Ask[]): Promise<void> {
    this.#local.reset(this.#shares(asks));
    await this.#call(() => this.#store.reset(hashed(asks)));
    this.#denials.forget(asks);
  }

  async snapshot(rules: readonly CompiledRule[], limit: number): Promise<readonly Holding[]> {
    return this.#store.snapshot(rules, limit);
  }

  async close(): Promise<void> {
    this.#source[Symbol.dispose]();
    await this.#pending.close(this.#deadlineMs);
    this.#local.close();
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A denial that need not be asked for again. What happened is charged in any case, and what the caller named may be reserved already. */
  #known(request: DecideRequest): Answer | undefined {
    const isNew =
      request.kind === 'reserve' ? request.isNamed !== true : request.kind === 'consume' && request.force !== true;
    if (!isNew) return undefined;
    const answer = this.#denials.answerTo(request.asks, this.#clock.monotonicMs() * 1_000);
    if (answer !== undefined) this.#counts.denyCached++;
    return answer;
  }

  async #decide(request: DecideRequest): Promise<Answer> {
    const { kind, asks } = request;
    if (kind === 'charge') {
      if (this.#uncounted.has(request.id)) return this.#standIn(request);
      const local = this.#local.decide({ ...request, asks: this.#shares(asks) });
      if (local.gone !== true) return local;
    }
    const patienceMs = this.#patienceMs(request);
    if (patienceMs <= 0 || !this.#health.mayAsk()) return this.#standIn(request);
    const isNamed = kind === 'reserve' && request.isNamed === true;
    const startedMs = this.#clock.monotonicMs();
    // The one that it repeats may be settled by now, and the store not know it yet.
    if (isNamed && !(await this.#isSettled(request.id, patienceMs))) return this.#standIn(request);
    try {
      const leftMs = isNamed ? patienceMs - (this.#clock.monotonicMs() - startedMs) : patienceMs;
      const answer = await this.#call(() => this.#store.decide({ ...request, asks: hashed(asks) }), leftMs);
      const findings = answer.findings.map((finding, n) => ({ ...finding, key: asks[n]?.key ?? finding.key }));
      if (!answer.allowed) this.#remember(findings);
      return { ...answer, findings };
    } catch (error) {
      // Whether it was carried out is not known. What may have been reserved is given back when the store is here again, unless somebody may hold it.
      if (kind === 'reserve' && !isNamed) this.#pending.add(request.id, () => this.#cancel(request.id, asks));
      return this.#standIn(request, isUnanswered(error));
    }
  }

  /** Whether no settlement of an earlier reservation of this id waits for the store. */
  async #isSettled(id: string, patienceMs: number): Promise<boolean> {
    const first = this.#pending.first(id);
    return first === true || withinDeadline(() => first, patienceMs, this.#clock, this.#late).catch(() => false);
  }

  /** @param isSent whether the store may have carried it out, or will. */
  #standIn(request: DecideRequest, isSent = false): Answer {
    // It has happened, so it is charged when the store is back.
    if (request.kind === 'consume' && request.force === true && !isSent) this.#chargeLater(request.asks);
    const retryAfterUs = Math.max(1, Math.ceil(this.#health.untilProbeMs * 1_000));
    const answer = decideWithout(request, { local: this.#local, instances: this.#instances, retryAfterUs });
    if (request.kind === 'reserve' && answer.allowed && answer.source === 'policy') this.#letPass(request.id);
    return answer;
  }

  /** Once: nothing tells a store that it is the same one again. So it is sent when the store is there, and what is sent counts as made. */
  #chargeLater(asks: readonly Ask[]): void {
    const given = hashed(asks);
    const charge = (): Promise<unknown> =>
      this.#call(() => this.#store.decide({ kind: 'consume', asks: given, force: true })).catch((error: unknown) => {
        if (!isUnanswered(error)) throw error;
      });
    const probe = (): Promise<unknown> => this.#call(() => this.#store.decide({ kind: 'peek', asks: given }));
    this.#pending.add(`${this.#forced++}`, charge, probe);
  }

  async #settle(id: string, asks: readonly Ask[]): Promise<Settlement> {
    const settlement = await this.#call(() => this.#store.settle({ id, asks: hashed(asks) }));
    // Now and not before: who was denied in the meantime is denied no longer.
    this.#denials.forget(asks);
    return settlement;
  }

  #cancel(id: string, asks: readonly Ask[]): Promise<Settlement> {
    const nothing = asks.map((ask) => ({ ...ask, cost: 0 }));
    return this.#settle(id, nothing);
  }

  /** What is left of the deadline of a decision. */
  #patienceMs(request: DecideRequest): number {
    const askedAtMs = 'askedAtMs' in request ? request.askedAtMs : undefined;
    return askedAtMs === undefined ? this.#deadlineMs : askedAtMs + this.#deadlineMs - this.#clock.monotonicMs();
  }

  /** Calls the store within the deadline, and takes note of how it does. */
  async #call<T>(call: () => T | Promise<T>, patienceMs = this.#deadlineMs): Promise<T> {
    try {
      const result = await withinDeadline(call, patienceMs, this.#clock, this.#late);
      this.#counts.answered++;
      this.#health.succeeded();
      this.#pending.flush();
      return result;
    } catch (error) {
      this.#counts.failed++;
      // What was given little time says little.
      if (patienceMs > this.#deadlineMs / 2) this.#health.failed();
      throw error;
    }
  }

  readonly #late = (): Error => errors.STORE_TIMEOUT({ store: this.kind, deadlineMs: this.#deadlineMs });

  #remember(findings: readonly Finding[]): void {
    const nowUs = this.#clock.monotonicMs() * 1_000;
    for (const finding of findings) {
      const { rule, allowed, retryAfterUs = 0 } = finding;
      if (allowed || rule.mode === 'shadow' || mayEndAtOnce(rule) || retryAfterUs === 0) continue;
      this.#denials.add(finding, nowUs + Math.min(retryAfterUs, this.#denyCacheUs));
    }
  }

  #shares(asks: readonly Ask[]): readonly Ask[] {
    return sharesOf(asks, this.#instances);
  }

  #letPass(id: string): void {
    if (this.#uncounted.size >= mostUncounted) this.#uncounted.clear();
    this.#uncounted.add(id);
  }
}

/** Whether a denial says nothing of the next moment or of the next caller: a slot may come back, and another caller may wait longer for a place in a queue. */
function mayEndAtOnce({ strategy }: CompiledRule): boolean {
  return strategy.kind === 'slots' || (strategy.kind === 'bucket' && strategy.queue > 0);
}

// Forgotten, they are settled with the store, which knows nothing of them.
const mostUncounted = 10_000;

/** The asks with keys that a store may keep. */
function hashed(asks: readonly Ask[]): readonly Ask[] {
  return asks.map((ask) => (ask.key === '' ? ask : { ...ask, key: hashApiKey(ask.key) }));
}
