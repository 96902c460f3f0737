import { requireOption } from '../errors/options.ts';
import type { DropReason, FairQueue, FairQueueOptions, PushOptions, Refusal, Ticket } from './contract.ts';
import { Entry } from './entry.ts';
import { Heap } from './heap.ts';
import { levels, Line } from './line.ts';

/** Beyond this the origin moves: a queue that never empties must not lose the precision that tells two tags apart. */
const furthestVirtualTime = 2 ** 30;

/** Lines of tenants, ordered by the virtual finish time of their front entries. The guarantees are in fair-queue.ts. */
export class SelfClockedQueue<T> implements FairQueue<T> {
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
