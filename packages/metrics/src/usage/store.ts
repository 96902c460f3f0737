import type { UsageRow } from './row.ts';

/** Usage of one day that is written in one go. */
export interface UsageBatch {
  /** Unique. A batch that comes again, since nobody knows whether it arrived, changes nothing. */
  readonly id: string;
  /** A day of UTC: `2026-11-28`. */
  readonly day: string;
  /** No two of one key. */
  readonly rows: readonly UsageRow[];
}

/** The rows of one day, or some of them. */
export interface UsagePage {
  readonly day: string;
  readonly rows: readonly UsageRow[];
}

export interface UsageRange {
  /** The first day. */
  readonly from: string;
  /** The last day, included. */
  readonly to: string;
  /** Only what is of this tenant. */
  readonly tenant?: string;
}

/** Where usage is kept. Any number of processes may add to one. */
export interface UsageStore {
  readonly name: string;
  /** Adds all rows to those that are there, or none; once, however often a batch comes within two days. */
  add(batch: UsageBatch): Promise<void>;
  /** The rows of a range, day after day, each key of a day once. */
  read(range: UsageRange): AsyncIterable<UsagePage>;
  /** Forgets all days before `day`. */
  prune(day: string): Promise<void>;
}
