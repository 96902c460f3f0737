/**
 * Sums by day and key, in bounded memory.
 *
 * Beyond `maxRows` what has a new key goes to a row that has `other` for all of it: the detail is lost, the sums stay right.
 */
import {
  addUsage,
  keyNames,
  keyOfText,
  keyText,
  noUsage,
  type UsageCounts,
  type UsageKey,
  type UsageRow,
  type UsageSum,
} from './row.ts';

export class UsageTable {
  /** Additions that went to a row of `other`. */
  folded = 0;
  #size = 0;
  #days: Map<string, Map<string, UsageSum>> = new Map();
  readonly #maxRows: number;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  /** Rows of all days. */
  get size(): number {
    return this.#size;
  }

  get days(): readonly string[] {
    return [...this.#days.keys()].toSorted();
  }

  add(day: string, key: UsageKey, counts: Partial<UsageCounts>): void {
    let rows = this.#days.get(day);
    if (rows === undefined) this.#days.set(day, (rows = new Map()));
    const text = keyText(key);
    const known = rows.get(text);
    if (known !== undefined) addUsage(known, counts);
    else if (this.#size < this.#maxRows) this.#insert(rows, text, counts);
    else this.#fold(rows, key, counts);
  }

  rowsOf(day: string): readonly UsageRow[] {
    return Array.from(this.#days.get(day) ?? [], ([text, counts]) => ({ ...keyOfText(text), ...counts }));
  }

  delete(day: string): void {
    this.#size -= this.#days.get(day)?.size ?? 0;
    this.#days.delete(day);
  }

  #insert(rows: Map<string, UsageSum>, text: string, counts: Partial<UsageCounts>): void {
    const sum = { ...noUsage };
    addUsage(sum, counts);
    rows.set(text, sum);
    this.#size++;
  }

  // At most two such rows a day, one for messages and one for calls, so the bound is exceeded by no more than that.
  #fold(rows: Map<string, UsageSum>, key: UsageKey, counts: Partial<UsageCounts>): void {
    this.folded++;
    const parts = keyNames.map(
      (name) => [name, key.model === '' ? name !== 'model' && name !== 'provider' : name !== 'session'] as const,
    );
    const text = keyText(
      Object.fromEntries(parts.map(([name, open]) => [name, open ? 'other' : ''])) as unknown as UsageKey,
    );
    const known = rows.get(text);
    if (known === undefined) this.#insert(rows, text, counts);
    else addUsage(known, counts);
  }
}
