/**
 * A queue that tenants share by weight.
 *
 * Between tenants: self-clocked fair queueing. The front entry of a tenant carries the virtual finish time `start + cost / weight`; the smallest
 * leaves first, and virtual time is the finish time of what left last. Over any time in which two tenants both wait, what they were served,
 * divided by their weights, differs by at most one entry of each: `cost / weight + cost / weight`. A tenant that always waits is never more
 * than one of its own entries behind its weighted share, however many others come, and one that was away starts at the present: time not used is
 * not saved. Entries that are cancelled or expire are not charged.
 *
 * Within a tenant: by priority with linear ageing. An entry is overtaken only by entries that are `n` levels more urgent and come less than
 * `n * ageingMs` after it; entries of one priority keep their order. Priority never takes another tenant's share; work that must go before
 * everybody's is a tenant with a large weight.
 *
 * @see S. J. Golestani, "A self-clocked fair queueing scheme for broadband applications", IEEE INFOCOM 1994
 */
import { type Clock, systemClock } from '../clock.ts';
import { requireNumber, requireOption, requireWhole } from '../errors/options.ts';
import { Entry } from './entry.ts';
import { Heap } from './heap.ts';
import { levels, Line } from './line.ts';

export interface FairQueueOptions<T> {
  /** Entries that may wait in all. @default 1024 */
  readonly maxSize?: number;
  /** Entries of one tenant that may wait. @default maxSize */
  readonly maxPerTenant?: number;
  /** The share of a tenant, from 0.001 to 1,000,000; asked at each push. @default () => 1 */
  readonly weightOf?: (tenant: string) => number;
  /** Milliseconds of waiting that count as one level of priority. @default 1000 */
  readonly ageingMs?: number;
  /** Told of each accepted item that leaves by any way but `shift`. Must not throw; may push. */
  readonly onDropped?: (item: T, reason: DropReason) => void;
  readonly clock?: Clock;
}

/** Why an entry left without being served. */
export type DropReason = 'cancelled' | 'expired' | 'cleared';

/** Urgency; 0 is the most urgent. */
export type Priority = 0 | 1 | 2 | 3;

export interface PushOptions {
  /** Whose entry it is. Entries without a tenant share one. @default '' */
  readonly tenant?: string;
  /** @default 1 */
  readonly priority?: Priority;
  /** What the entry uses up of its tenant's share: 1 to count entries, or its tokens. Above 0, at most 1e12. @default 1 */
  readonly cost?: number;
  /** When nobody wants the item any more, on the clock's monotonic time. @default never */
  readonly deadlineMs?: number;
  /** Takes the entry out when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** The item waits. */
export interface Ticket {
  readonly accepted: true;
  /** False once the item left, whichever way. */
  readonly waiting: boolean;
  /** Takes the item out, telling `onDropped`. Returns false where it had left already. */
  cancel(): boolean;
}

/** The item was not taken. A result, not an error: full queues are what queues are bounded for. */
export type Refusal =
  | {
      readonly accepted: false;
      readonly reason: 'queue-full' | 'tenant-full';
      /** The bound that was reached. */ readonly limit: number;
    }
  | { readonly accepted: false; readonly reason: 'expired' | 'cancelled' };

export interface FairQueue<T> {
  /** O(log n). Throws only for invalid options of the entry. */
  push(item: T, options?: PushOptions): Ticket | Refusal;
  /** Takes the next item out; undefined where none waits. O(log n). */
  shift(): T | undefined;
  /** The item that `shift` would return now. */
  peek(): T | undefined;
  /** Entries that wait. An expired one counts until the next push, shift or peek. */
  readonly size: number;
  sizeOf(tenant: string): number;
  /** Takes every item out, telling `onDropped`. */
  clear(): void;
}

/**
 * Makes an empty queue. It has no timer: expired entries leave at the next push, shift or peek, so a full queue never refuses for the sake of dead ones.
 *
 * @example
 * ```ts
 * const queue = createFairQueue<() => void>({ maxSize: 1000, maxPerTenant: 100, weightOf: (tenant) => (tenant === 'gold' ? 4 : 1) });
 * const ticket = queue.push(task, { tenant, cost: tokens });
 * if (!ticket.accepted) return refuse(ticket.reason);
 * queue.shift()?.();
 * ```
 */
export function createFairQueue<T>({
  maxSize = 1024,
  maxPerTenant = maxSize,
  weightOf = () => 1,
  ageingMs = 1_000,
  onDropped = () => {},
  clock = systemClock,
}: FairQueueOptions<T> = {}): FairQueue<T> {
  requireWhole('maxSize', maxSize, 1);
  requireWhole('maxPerTenant', maxPerTenant, 1);
  requireNumber('ageingMs', ageingMs, 1);
  return new SelfClockedQueue<T>({ maxSize, maxPerTenant, weightOf, ageingMs, onDropped, clock });
}

/** Beyond this the origin moves: a queue that never empties must not lose the precision that tells two tags apart. */
const furthestVirtualTime = 2 ** 30;

class SelfClockedQueue<T> implements FairQueue<T> {
  readonly #options: Required<FairQueueOptions<T>>;
  readonly #lines = new Map<string, Line<T>>();
  readonly #turns = new Heap<Line<T>>(comesFirst);
  readonly #deadlines = new Heap<Entry<T>>((a, b) => a.deadlineMs < b.deadlineMs);
  readonly #cancel = (entry: Entry<T>): void => this.#drop(entry, 'cancelled');
  #size = 0;
  #sequence = 0;
  #virtualTime = 0;

  constructor(options: Required<FairQueueOptions<T>>) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  sizeOf(tenant: string): number {
    return this.#lines.get(tenant)?.size ?? 0;
  }

  push(
    item: T,
    { tenant = '', priority = 1, cost = 1, deadlineMs = Number.POSITIVE_INFINITY, signal }: PushOptions = {},
  ): Ticket | Refusal {
    requireOption('priority', priority, 'a whole number from 0 to 3', isPriority);
    requireOption('cost', cost, 'a number above 0, at most 1e12', isCost);
    requireOption('deadlineMs', deadlineMs, 'a number', isNotNaN);
    const weight = requireOption(
      'weightOf',
      this.#options.weightOf(tenant),
      'a number from 0.001 to 1,000,000',
      isWeight,
    );
    const { clock, maxSize, maxPerTenant, ageingMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (signal?.aborted) return { accepted: false, reason: 'cancelled' };
    if (deadlineMs <= nowMs) return { accepted: false, reason: 'expired' };
    this.#dropExpired(nowMs);
    if (this.#size >= maxSize) return { accepted: false, reason: 'queue-full', limit: maxSize };
    if (this.sizeOf(tenant) >= maxPerTenant) return { accepted: false, reason: 'tenant-full', limit: maxPerTenant };

    const line = this.#lineOf(tenant);
    line.weight = weight;
    const fields = {
      level: priority,
      cost,
      rankMs: nowMs + priority * ageingMs,
      sequence: this.#sequence++,
      deadlineMs,
      signal,
    };
    const entry = new Entry(item, line, fields, this.#cancel);
    this.#size++;
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.#deadlines.add(entry);
    if (line.append(entry)) this.#takeTurn(line);
    return entry;
  }

  shift(): T | undefined {
    this.#dropExpired(this.#options.clock.monotonicMs());
    const line = this.#turns.first;
    const entry = line?.front;
    if (line === undefined || entry === undefined) return undefined;
    this.#virtualTime = line.finishTag;
    line.charge();
    this.#release(entry);
    if (this.#virtualTime > furthestVirtualTime) this.#rebase();
    return entry.item;
  }

  peek(): T | undefined {
    this.#dropExpired(this.#options.clock.monotonicMs());
    return this.#turns.first?.front?.item;
  }

  clear(): void {
    const entries: Entry<T>[] = [];
    for (const line of this.#lines.values()) {
      for (const entry of line) entries.push(entry);
    }
    this.#lines.clear();
    this.#turns.clear();
    this.#deadlines.clear();
    this.#size = 0;
    for (const entry of entries) entry.leave();
    for (const entry of entries) this.#options.onDropped(entry.item, 'cleared');
  }

  #lineOf(tenant: string): Line<T> {
    const known = this.#lines.get(tenant);
    if (known !== undefined) return known;
    const line = new Line<T>(tenant, this.#virtualTime);
    this.#lines.set(tenant, line);
    return line;
  }

  /** Gives the line the turn that its new front entry has. */
  #takeTurn(line: Line<T>): void {
    line.tag(this.#virtualTime);
    if (line.heapIndex < 0) this.#turns.add(line);
    else this.#turns.moved(line);
  }

  #rebase(): void {
    for (const line of this.#lines.values()) line.rebase(this.#virtualTime);
    this.#virtualTime = 0;
  }

  #dropExpired(nowMs: number): void {
    for (
      let entry = this.#deadlines.first;
      entry !== undefined && entry.deadlineMs <= nowMs;
      entry = this.#deadlines.first
    ) {
      this.#drop(entry, 'expired');
    }
  }

  #drop(entry: Entry<T>, reason: DropReason): void {
    this.#release(entry);
    this.#options.onDropped(entry.item, reason);
  }

  #release(entry: Entry<T>): void {
    const { line } = entry;
    entry.leave();
    this.#deadlines.remove(entry);
    this.#size--;
    const wasFront = line.remove(entry);
    if (line.size === 0) {
      // Nothing to remember: no tenant was ever served beyond virtual time.
      this.#turns.remove(line);
      this.#lines.delete(line.tenant);
    } else if (wasFront) {
      this.#takeTurn(line);
    }
  }
}

function comesFirst<T>(a: Line<T>, b: Line<T>): boolean {
  if (a.finishTag !== b.finishTag) return a.finishTag < b.finishTag;
  return (a.front?.sequence ?? 0) < (b.front?.sequence ?? 0);
}

function isPriority(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < levels;
}

function isWeight(value: number): boolean {
  return value >= 0.001 && value <= 1_000_000;
}

function isCost(value: number): boolean {
  return value > 0 && value <= 1e12;
}

function isNotNaN(value: number): boolean {
  return !Number.isNaN(value);
}
