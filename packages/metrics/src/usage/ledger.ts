/**
 * The usage ledger: what operations used, by tenant, user, agent, session and model, summed in memory and written to a store in batches.
 *
 * Memory is bounded by `maxRows` twice: what is being written, and what comes meanwhile. While the store is away sums stay right, and detail beyond the bound is
 * lost to `other`. A batch that fails is written again as it was, under its id, so none is counted twice. A row that a store which is well refuses for good is given up, and
 * the event `error.critical` says so: it must not keep all others from being written.
 */
import { randomUUID } from 'node:crypto';
import {
  type Clock,
  emit,
  observe,
  requireNumber,
  requireWhole,
  source,
  systemClock,
  type Timer,
  verdictOf,
} from '@sage-adk/core';
import { dayAt } from './day.ts';
import { usageErrors } from './errors.ts';
import { createUsageObserver } from './observer.ts';
import { requireCounts, storable, type UsageCounts, type UsageKey } from './row.ts';
import type { UsageBatch, UsageStore } from './store.ts';
import { UsageTable } from './table.ts';

export interface UsageLedgerOptions {
  readonly store: UsageStore;
  /** How often usage is written. A process that is killed loses at most this much. @default 5000 */
  readonly flushEveryMs?: number;
  /** Rows at which usage is kept without detail until the store takes some. Half of them are written at once. @default 10000 */
  readonly maxRows?: number;
  /** How long the store may take for a batch. One that comes later after all counts once. @default 10000 */
  readonly deadlineMs?: number;
  /** How long `close` tries to write the rest. @default 10000 */
  readonly closeWithinMs?: number;
  readonly clock?: Clock;
}

/** Keeps the books from its creation until it is closed. */
export interface UsageLedger extends AsyncDisposable {
  /** Rows that are not written yet. */
  readonly pending: number;
  /** Counts what no operation tells. Members of the key that are left out are empty. Throws `SAGE_CORE_INVALID_OPTION` where a count is no whole number of at least 0. */
  add(key: Partial<UsageKey>, counts: Partial<UsageCounts>): void;
  /** Writes what was used until now. Rejects as the store does, or with `SAGE_USAGE_STORE_LATE` where it hangs; then it is kept and tried again. */
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
  deadlineMs = 10_000,
  closeWithinMs = 10_000,
  clock = systemClock,
}: UsageLedgerOptions): UsageLedger {
  requireNumber('flushEveryMs', flushEveryMs, 1);
  requireWhole('maxRows', maxRows, 1);
  requireNumber('deadlineMs', deadlineMs, 1);
  requireNumber('closeWithinMs', closeWithinMs, 0);
  const book = new Book(store, { maxRows, deadlineMs, clock });
  const subscription = observe(createUsageObserver((key, counts) => book.add(key, counts)));
  const counters = source('usage.ledger', () => book.counters);
  let closing: Promise<void> | undefined;
  let timer: Timer | undefined;
  const wait = (): void => {
    if (closing === undefined) timer = clock.setTimer(() => void book.write().then(wait, wait), flushEveryMs);
  };
  wait();

  const close = async (): Promise<void> => {
    subscription[Symbol.dispose]();
    timer?.cancel();
    try {
      await writeRest(book, store, closeWithinMs, clock);
    } finally {
      counters[Symbol.dispose]();
    }
  };
  return {
    get pending() {
      return book.pending;
    },
    add(key, counts) {
      requireCounts(counts);
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
  const timer = clock.setTimer(() => book.end(), withinMs, { keepAlive: true });
  for (;;) {
    try {
      await book.write();
      return timer.cancel();
    } catch (cause) {
      if (clock.monotonicMs() + againMs > untilMs) {
        timer.cancel();
        throw usageErrors.NOT_WRITTEN({ rows: book.pending, store: store.name, reason: reasonOf(cause) }, { cause });
      }
    }
    await new Promise<void>((resolve) => void clock.setTimer(resolve, againMs, { keepAlive: true }));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const rowsPerBatch = 1_000;

type BookOptions = Required<Pick<UsageLedgerOptions, 'maxRows' | 'deadlineMs' | 'clock'>>;

/** What is not written yet, and the writing of it, one batch after the other. */
class Book {
  #open: UsageTable;
  #sealed: UsageBatch[] = [];
  #last: Promise<void> = Promise.resolve();
  #writing = 0;
  #written = 0;
  #failures = 0;
  #folded = 0;
  #refused = 0;
  readonly #store: UsageStore;
  readonly #maxRows: number;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  #isOver = false;
  /** Ends the wait for the store. */
  #giveUp: (why: Error) => void = () => {};

  constructor(store: UsageStore, { maxRows, deadlineMs, clock }: BookOptions) {
    this.#store = store;
    this.#maxRows = maxRows;
    this.#deadlineMs = deadlineMs;
    this.#clock = clock;
    this.#open = new UsageTable(maxRows);
  }

  get pending(): number {
    return this.#open.size + this.#sealed.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  get counters(): Readonly<Record<string, number>> {
    const folded = this.#folded + this.#open.folded;
    return { pending: this.pending, written: this.#written, failures: this.#failures, folded, refused: this.#refused };
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

  /** Waits for the store no longer, now and later. */
  end(): void {
    this.#isOver = true;
    this.#giveUp(new Error('it did not answer in time'));
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
        await this.#add(batch);
      } catch (error) {
        this.#failures++;
        if (!(await this.#isOfBatch(batch, error))) throw error;
        this.#sealed.splice(0, 1, ...this.#withoutRefused(batch, error));
        continue;
      }
      this.#sealed.shift();
      this.#written += batch.rows.length;
    }
  }

  /** Waits for the store until the deadline; what comes of it later changes nothing. */
  #add(batch: UsageBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#deadlineMs;
      const work = this.#store.add(batch);
      const late = (): void => reject(usageErrors.STORE_LATE({ store: this.#store.name, deadlineMs }));
      const timer = this.#clock.setTimer(late, deadlineMs, { keepAlive: true });
      this.#giveUp = (why) => {
        timer.cancel();
        reject(why);
      };
      if (this.#isOver) this.end();
      work.finally(() => timer.cancel()).then(resolve, reject);
    });
  }

  /** Whether it is the batch that the store refuses: for good, and while it takes one without rows. Else it is the store that somebody has to mend. */
  async #isOfBatch({ day }: UsageBatch, error: unknown): Promise<boolean> {
    if (verdictOf(error).category !== 'permanent') return false;
    try {
      await this.#add({ id: randomUUID(), day, rows: [] });
      return true;
    } catch {
      return false;
    }
  }

  /** The halves of a batch that was refused, each to be tried by itself; nothing in place of a single row. */
  #withoutRefused({ day, rows }: UsageBatch, error: unknown): readonly UsageBatch[] {
    if (rows.length > 1) {
      const half = Math.ceil(rows.length / 2);
      return [rows.slice(0, half), rows.slice(half)].map((some) => ({ id: randomUUID(), day, rows: some }));
    }
    for (const { tenant, calls, costNanoUsd } of rows) {
      this.#refused++;
      const what = `${calls} calls of tenant "${tenant}" on ${day}, ${costNanoUsd} billionths of a US dollar`;
      const message = `The store ${this.#store.name} refused a row of usage, which is in no report: ${what}: ${reasonOf(error)}`;
      emit('error.critical', { source: 'usage', reason: 'refused', message });
    }
    return [];
  }
}
