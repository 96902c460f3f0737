import { compileRule, type CompiledRule } from '../compile.ts';
import type { Rule } from '../rule.ts';
import type { Answer, Ask, LimiterStore } from '../stores/store.ts';

/** A store to be judged, on a clock that stands still until it is told to go on. */
export interface LimiterStoreSubject {
  /** Empty, and nobody else writes to it. The case closes it. */
  readonly store: LimiterStore;
  /** Lets exactly so many microseconds pass for the store, on whichever clocks it has. */
  advanceUs(us: number): void | Promise<void>;
}

/**
 * Makes a new subject whose time is `startUs`, in microseconds since the epoch; called once by each case.
 *
 * A store that goes by a server's clock takes the time from the test instead, for as long as the test runs.
 */
export type CreateLimiterStore = (startUs: number) => Promise<LimiterStoreSubject>;

/** One promise of the store contract, and a check of it. */
export interface StoreCase {
  readonly name: string;
  /** Rejects, mostly with an `AssertionError`, where the store breaks the promise. */
  readonly run: (create: CreateLimiterStore) => Promise<void>;
}

/** A Wednesday morning, 20 microseconds after a full minute. */
export const startUs = Date.UTC(2025, 0, 1, 9, 30) * 1_000 + 20;

/** What a case works with. */
export interface Bench {
  readonly store: LimiterStore;
  readonly pass: (us: number) => Promise<void>;
  readonly consume: (...asks: readonly Ask[]) => Promise<Answer>;
  readonly peek: (...asks: readonly Ask[]) => Promise<Answer>;
  /** Reserves for 30 seconds. */
  readonly reserve: (id: string, ...asks: readonly Ask[]) => Promise<Answer>;
  readonly settle: (id: string, ...asks: readonly Ask[]) => Promise<boolean>;
}

/** How long {@link Bench.reserve} reserves for. */
export const ttlUs = 30_000_000;

export function storeCase(name: string, check: (bench: Bench) => Promise<void>): StoreCase {
  return {
    name,
    async run(create) {
      const subject = await create(startUs);
      const { store } = subject;
      try {
        await check({
          store,
          pass: async (us) => subject.advanceUs(us),
          consume: async (...asks) => store.decide({ kind: 'consume', asks }),
          peek: async (...asks) => store.decide({ kind: 'peek', asks }),
          reserve: async (id, ...asks) => store.decide({ kind: 'reserve', id: idOf(id), asks, ttlUs, maxWaitUs: 0 }),
          settle: async (id, ...asks) => (await store.settle({ id: idOf(id), asks })).settled,
        });
      } finally {
        await store.close();
      }
    },
  };
}

/** An id as long as those of a limiter. */
export function idOf(name: string): string {
  return name.padEnd(22, '_');
}

/** A rule of a case, and how to ask about it. */
export interface Asker {
  readonly rule: CompiledRule;
  (cost: number, key?: string): Ask;
}

/** Compiles a rule of the scope user. */
export function asker(fields: Partial<Rule> = {}): Asker {
  const rule = compileRule({ name: 'rule', scope: 'user', limit: 10, ...defaultPeriod(fields), ...fields }, 'user');
  if (rule === undefined) throw new TypeError('A case needs a rule with a limit.');
  return Object.assign((cost: number, key = 'ada'): Ask => ({ rule, key: keyOf(key), cost }), { rule });
}

function defaultPeriod({ unit }: Partial<Rule>): Partial<Rule> {
  return unit === 'concurrency' ? {} : { per: 'minute' };
}

function keyOf(name: string): string {
  return name.padEnd(22, '-');
}
