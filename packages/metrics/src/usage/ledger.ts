/**
 * The usage ledger: what operations used, by tenant, user, agent, session and model, summed in memory and written to a store in batches.
 *
 * Memory is bounded by `maxRows` twice: what is being written, and what comes meanwhile. While the store is away sums stay right, and detail beyond the bound is
 * lost to `other`. A batch that fails is written again as it was, under its id, so none is counted twice.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, observe, requireNumber, requireWhole, source, systemClock, type Timer } from '@sage-adk/core';
import { dayAt } from './day.ts';
import { usageErrors } from './errors.ts';
import { createUsageObserver } from './observer.ts';
import { storable, type UsageCounts, type UsageKey } from './row.ts';
import type { UsageBatch, UsageStore } from './store.ts';
import { UsageTable } from './table.ts';

export interface UsageLedgerOptions {
  readonly store: UsageStore;
  /** How often usage is written. A process that is killed loses at most this much. @default 5000 */
  readonly flushEveryMs?: number;
  /** Rows at which usage is kept without detail until the store takes some. Half of them are written at once. @default 10000 */
  readonly maxRows?: number;
  /** How long `close` tries to write the rest. @default 10000 */
  readonly closeWithinMs?: number;
  readonly clock?: Clock;
}

/** Keeps the books from its creation until it is closed. */
export interface UsageLedger extends AsyncDisposable {
  /** Rows that are not written yet. */
  readonly pending: number;
  /** Counts what no operation tells. Members of the key that are left out are empty. */
  add(key: Partial<UsageKey>, counts: Partial<UsageCounts>): void;
  /** Writes what was used until now. Rejects as the store does; then it is kept and tried again. */
  flush(): Promise<void>;
  /** Stops watching and writes the rest. Rejects with `SAGE_USAGE_NOT_WRITTEN` where that did not succeed in time. */
  close(): Promise<void>;
}

/**
 * Starts to keep the books.
 *
 * @example
 * ```ts
 * const ledger = createUsageLedger({ store: createMemoryUsage() });
 * ```
 */
export function createUsageLedger({
  store,
  flushEveryMs = 5_000,
  maxRows = 10_000,
  closeWithinMs = 10_000,
  clock = systemClock,
}: UsageLedgerOptions): UsageLedger {
  requireNumber('flushEveryMs', flushEveryMs, 1);
  requireWhole('maxRows', maxRows, 1);
  requireNumber('closeWithinMs', closeWithinMs, 0);
  const book = new Book(store, maxRows, clock);
  const subscription = observe(createUsageObserver((key, counts) => book.add(key, counts)));
  const counters = source('usage.ledger', () => book.counters);
  let timer: Timer | undefined;
  const wait = (): void => {
    timer = clock.setTimer(() => void book.write().then(wait, wait), flushEveryMs);
  };
  wait();

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    subscription[Symbol.dispose]();
    try {
      await writeRest(book, store, closeWithinMs, clock);
    } finally {
      timer?.cancel();
      timer = undefined;
      counters[Symbol.dispose]();
    }
  };
  return {
    get pending() {
      return book.pending;
    },
    add(key, counts) {
      const clean = Object.fromEntries(Object.entries(key).map(([name, text]) => [name, storable(text)]));
      book.add({ tenant: '', user: '', agent: '', session: '', provider: '', model: '', ...clean }, counts);
    },
    flush: () => book.write(),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

const againMs = 250;

async function writeRest(book: Book, store: UsageStore, withinMs: number, clock: Clock): Promise<void> {
  const untilMs = clock.monotonicMs() + withinMs;
  for (;;) {
    try {
      return await book.write();
    } catch (cause) {
      if (clock.monotonicMs() + againMs > untilMs) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw usageErrors.NOT_WRITTEN({ rows: book.pending, store: store.name, reason }, { cause });
      }
    }
    await new Promise<void>((resolve) => void clock.setTimer(resolve, againMs, { keepAlive: true }));
  }
}

const rowsPerBatch = 1_000;

/** What is not written yet, and the writing of it, one batch after the other. */
class Book {
  #open: UsageTable;
  #sealed: UsageBatch[] = [];
  #last: Promise<void> = Promise.resolve();
  #writing = 0;
  #written = 0;
  #failures = 0;
  #folded = 0;
  readonly #store: UsageStore;
  readonly #maxRows: number;
  readonly #clock: Clock;

  constructor(store: UsageStore, maxRows: number, clock: Clock) {
    this.#store = store;
    this.#maxRows = maxRows;
    this.#clock = clock;
    this.#open = new UsageTable(maxRows);
  }

  get pending(): number {
    return this.#open.size + this.#sealed.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  get counters(): Readonly<Record<string, number>> {
    const folded = this.#folded + this.#open.folded;
    return { pending: this.pending, written: this.#written, failures: this.#failures, folded };
  }

  add(key: UsageKey, counts: Partial<UsageCounts>): void {
    this.#open.add(dayAt(this.#clock.now()), key, counts);
    if (this.#open.size * 2 > this.#maxRows && this.#writing === 0 && this.#sealed.length === 0) {
      this.write().catch(() => {});
    }
  }

  /** Writes all that was added before the call. */
  write(): Promise<void> {
    this.#writing++;
    this.#last = this.#last
      .catch(() => {})
      .then(() => this.#writeAll())
      .finally(() => this.#writing--);
    return this.#last;
  }

  async #writeAll(): Promise<void> {
    // What failed before goes first; only then is room for the next.
    await this.#writeSealed();
    this.#seal();
    await this.#writeSealed();
  }

  #seal(): void {
    const table = this.#open;
    this.#open = new UsageTable(this.#maxRows);
    this.#folded += table.folded;
    for (const day of table.days) {
      const rows = table.rowsOf(day);
      for (let i = 0; i < rows.length; i += rowsPerBatch) {
        this.#sealed.push({ id: randomUUID(), day, rows: rows.slice(i, i + rowsPerBatch) });
      }
    }
  }

  async #writeSealed(): Promise<void> {
    for (let batch = this.#sealed[0]; batch !== undefined; batch = this.#sealed[0]) {
      try {
        await this.#store.add(batch);
      } catch (error) {
        this.#failures++;
        throw error;
      }
      this.#sealed.shift();
      this.#written += batch.rows.length;
    }
  }
}
