import type { Clock } from '../clock.ts';

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
