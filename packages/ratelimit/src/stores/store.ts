/**
 * The port of limiter stores: what a limiter asks, and what a store must answer.
 *
 * One call carries a whole decision: every rule that applies, each with its key and its cost. A store decides all of them at one instant and charges all or
 * none. Nothing else may happen to any of their keys in between.
 *
 * **Time** is the store's own: the server's for a shared store, read after locks are taken. So requests and answers carry durations, in whole
 * microseconds, and no process's clock matters. The one exception are the boundaries of a calendar, which a limiter computes (see `packStrategy`).
 *
 * **Numbers** are whole and at most 2^53 - 1, and no step of the arithmetic in `../strategies` leaves what a double counts exactly. Where it multiplies an
 * elapsed time, the product may be larger, and then only whether it is larger counts; integers that overflow must divide first.
 *
 * **State** belongs to the pair of a rule's `id` and a key. A bucket's carries its `weight`: asked about with another one, it is converted first
 * (`reweigh`), for a limit may be changed while the id stays. State that can be told from no state by no later answer may be dropped: a bucket without
 * debt, a window that is over, a sliding window without live entries, in each case once no reservation of it is left that could still be settled.
 *
 * **Reservations** live with the state they were charged to: for each rule and key a part of `{ id, expiry, held, spent, mark }`. So a call needs the keys of
 * its asks and nothing else. A reservation is over at its expiry to the microsecond: from then on it can be neither settled nor extended nor charged.
 *
 * The memory store is the reference: `storeCases` of `@sage-adk/ratelimit/testing` runs a store against it, and what they agree on is the contract.
 */
import type { CompiledRule } from '../compile.ts';

/** One rule asked about one key. */
export interface Ask {
  readonly rule: CompiledRule;
  /** Whose state; at most 75 characters, of which a shared store is given 22. Empty where all share it. */
  readonly key: string;
  /** Units: whole, from 0 to 2^53 - 1; 0 or 1 for a rule of slots. Of a settlement what was really used. */
  readonly cost: number;
}

/**
 * A decision to make. No two asks are about the same rule, and those of one space have one key.
 *
 * 1. Every ask gets a verdict on the state as it is now: `bucketWaitUs`, `windowWaitUs`, `slidingWaitUs` or `slotsWaitUs`; 0 allows.
 * 2. The decision is yes if every ask of an enforced rule is allowed, or with `force`.
 * 3. Then, and not for `peek`, every ask that is allowed itself is charged; with `force` those that are not as well. An ask of a shadow rule that is denied is not.
 *    Otherwise no state changes, not even by taking out what is over.
 */
export type DecideRequest = PeekRequest | ConsumeRequest | ReserveRequest | ChargeRequest | LowerRequest;

/** Only looks. */
export interface PeekRequest {
  readonly kind: 'peek';
  readonly asks: readonly Ask[];
}

/** A request that belongs to a decision which has asked already. */
export interface Asked {
  /** When that decision began, on the monotonic clock of this process: a guard's deadline counts from then. @default now */
  readonly askedAtMs?: number;
}

/** Charges for good. A rule of slots is asked whether one is free, and none is taken. */
export interface ConsumeRequest extends Asked {
  readonly kind: 'consume';
  readonly asks: readonly Ask[];
  /** Charges whatever the verdicts: it has happened. The answer is then allowed; its findings tell the verdicts. @default false */
  readonly force?: boolean;
}

/**
 * Charges what a later settlement replaces, and takes slots.
 *
 * Where any ask has a part of this id that is not over, the request was made before: nothing is charged, and the answer is allowed and `repeated`.
 */
export interface ReserveRequest extends Asked {
  readonly kind: 'reserve';
  readonly asks: readonly Ask[];
  /** Names the reservation: 22 characters of base64url or more, unlikely to be chosen twice. */
  readonly id: string;
  /** The caller chose its name, and may make it again: then only the store knows whether it is there. @default false */
  readonly isNamed?: boolean;
  /** Only who gets the answer will ask about it, by its {@link Answer.holding}; then the id counts for nothing. Asked of stores that say they answer so. */
  readonly isOwn?: boolean;
  /** How long it lasts unless it is extended, from the departure on where it waits in a queue. */
  readonly ttlUs: number;
  /** How long a rule with a queue may make the caller wait for its departure. */
  readonly maxWaitUs: number;
}

/**
 * Adds to a reservation, all or nothing. Where no ask has a part of this id that is not over, nothing is charged, and the answer is not allowed and `gone`.
 *
 * An ask whose rule has no part yet, since it was a shadow rule that denied, gets one. Where the new charge has the mark of the part (the same bucket period,
 * window or entry), `held` grows by its cost; else what was held counts as used (`spent += held`) and the part holds the new cost under the new mark.
 * In a bucket without a queue the period tells; in one with a queue the mark is always new. Rules of slots are not asked.
 */
export interface ChargeRequest extends Holder {
  readonly kind: 'charge';
  readonly asks: readonly Ask[];
  readonly id: string;
}

/** Who asks about a reservation. */
export interface Holder {
  /** Stands for its id. */
  readonly holding?: object | undefined;
}

/**
 * Makes at most `cost` units of each ask's rule be left, as somebody else says: spends what remains beyond them, if anything, so twice is as once.
 * Always allowed. Slots are passed over.
 */
export interface LowerRequest {
  readonly kind: 'lower';
  readonly asks: readonly Ask[];
}

/** What a store decided. */
export interface Answer {
  readonly allowed: boolean;
  /** One for each ask, in their order. */
  readonly findings: readonly Finding[];
  /** Of an allowed reservation: how long to wait before going on, the longest of its queues; what is left of that where it is repeated. 0 without queues. */
  readonly delayUs: number;
  /** A reservation that is its caller's own, as a store in this process keeps it. */
  readonly holding?: object;
  /** The reservation of this id was there already. */
  readonly repeated?: boolean;
  /** The reservation to charge is over, or was never there. */
  readonly gone?: boolean;
  /** Who answered. */
  readonly source: AnswerSource;
  /** Wall-clock time of the decision in milliseconds, where the store knows it without asking. */
  readonly atMs?: number;
}

/**
 * `store`: the store. `overflow`: the store, of which some key had no room of its own and shares one with others. `deny-cache`: remembered in this process.
 * `slice`: from quota this process has taken ahead. `local`: a count in this process, while the store does not answer. `policy`: nobody
 * counted; each rule's policy decided.
 */
export type AnswerSource = 'store' | 'overflow' | 'deny-cache' | 'slice' | 'local' | 'policy';

/** What became of one ask. */
export interface Finding {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly cost: number;
  readonly allowed: boolean;
  /** Whole units that may be spent at once, after this decision. */
  readonly remaining: number;
  /** Microseconds until nothing is used, after this decision; `slotRetryUs` for slots in use. */
  readonly resetAfterUs: number;
  /** 0 where allowed, undefined where waiting cannot help, else exact if nothing else happens: a microsecond less is denied. `slotRetryUs` for slots. */
  readonly retryAfterUs: number | undefined;
}

/**
 * Ends a reservation: what it held is replaced by what was used, `cost` of each ask less what the part counts as spent, at least 0 (`settleBucket` and its like).
 * Slots come back. Zeros cancel it. Only parts that are there and not over are settled, each once.
 *
 * The asks name every rule and key of the reservation; one without a part is passed over.
 */
export interface SettleRequest extends Holder {
  readonly id: string;
  readonly asks: readonly Ask[];
  /** For who may have to settle later than asked; its asks are in the same order. A store itself needs none of it. */
  readonly reserved?: Reserved;
}

/** What was reserved. */
export interface Reserved {
  readonly asks: readonly Ask[];
  /** When its time is over, as far as its holder knows, on the monotonic clock of this process. */
  readonly untilMs: number;
}

/** What became of a settlement. */
export interface Settlement {
  /** Whether any part was there. False where it was settled before, is over, or never was. */
  readonly settled: boolean;
  /** One for each ask: units that the rule is now beyond its limit, because more was used than reserved; 0 for slots and for asks without a part. */
  readonly over: readonly number[];
}

/** Lets a reservation last longer. */
export interface ExtendRequest extends Holder {
  readonly id: string;
  /** The asks of the reservation; their costs mean nothing. */
  readonly asks: readonly Ask[];
  /** From now on. */
  readonly ttlUs: number;
}

/** What is kept for a key and a rule. */
export interface Holding {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly remaining: number;
  readonly resetAfterUs: number;
}

/**
 * Where a limiter keeps its state. A store rejects when it cannot decide; it never guesses. Where the call may have been carried out all the same it rejects
 * with a `SageError` of the outcome `timeout`, or whose `details.sent` is true: then it is made again only where twice is as once. Deadlines,
 * fallbacks and caches are put around it (`guardStore`). After `close` its calls may do anything.
 */
export interface LimiterStore extends AsyncDisposable {
  /** For labels: `memory`, `redis`, `postgres`. */
  readonly kind: string;
  /** Throws `SAGE_CORE_INVALID_OPTION` for a rule that it cannot be asked about. A limiter calls it before a rule counts, new or changed. */
  requireRule?(rule: CompiledRule): void;
  decide(request: DecideRequest): Answer | Promise<Answer>;
  settle(request: SettleRequest): Settlement | Promise<Settlement>;
  /** Sets a new expiry. False where no part is there that is not over. */
  extend(request: ExtendRequest): boolean | Promise<boolean>;
  /** Forgets what was used and reserved, so that the asks' quotas are whole. Slots stay: their holders are alive. Settling afterwards finds no part. */
  reset(asks: readonly Ask[]): void | Promise<void>;
  /** What is kept for keys that are not whole, at most `limit` rows. */
  snapshot(rules: readonly CompiledRule[], limit: number): readonly Holding[] | Promise<readonly Holding[]>;
  close(): void | Promise<void>;
}

/** A store in this process: it answers at once. */
export interface SyncLimiterStore extends LimiterStore {
  decide(request: DecideRequest): Answer;
  settle(request: SettleRequest): Settlement;
  extend(request: ExtendRequest): boolean;
  reset(asks: readonly Ask[]): void;
  snapshot(rules: readonly CompiledRule[], limit: number): readonly Holding[];
  close(): void;
}
