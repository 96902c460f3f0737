import type { DeadLetter, DeadLetterFilter, NewDeadLetter } from './letter.ts';

/**
 * Messages that failed, kept until somebody dealt with them.
 *
 * A letter leaves the store in five ways only: `ack` by the holder of its claim, `purge`, its retention, `drop-oldest` of a full store, and the loss of the
 * store itself. Delivery is at least once: give the idempotency key of a redrive on to whatever has an effect.
 */
export interface DeadLetterStore {
  /** What metrics call it: `memory`, `redis`, `postgres`. */
  readonly name: string;
  readonly queue: string;
  /**
   * Keeps a failed message. One with the source and dedupe key of a letter that is there counts as that letter's next failure: its error and retention are
   * renewed, its payload stays, and a claim on it is void, so that the claimant's `ack` cannot remove a failure that it does not know of.
   *
   * Rejects with `SAGE_DLQ_FULL`, `SAGE_DLQ_TOO_LARGE`, `SAGE_DLQ_NOT_JSON`, or as the server's client does; then it is not known to be kept.
   */
  put(letter: NewDeadLetter): Promise<PutResult>;
  /** Takes letters that are due, the longest waiting first, so that nobody else gets them while the lease lasts. */
  claim(options?: ClaimOptions): Promise<readonly ClaimedLetter[]>;
  /** Removes the letter. False where the claim is no longer the caller's; then nothing was changed. */
  ack(claim: Claim): Promise<boolean>;
  /** Gives the letter back, or parks it after its last redrive. False as `ack`. */
  nack(claim: Claim, options?: NackOptions): Promise<boolean>;
  /** Renews the lease to `leaseMs` from now. False as `ack`. */
  extend(claim: Claim, leaseMs: number): Promise<boolean>;
  /** Makes a parked letter due, with its redrives at 0. False where it isn't parked. */
  release(id: string): Promise<boolean>;
  /** Letters in the order of their ids, thus by age. Those that change meanwhile may be missed or come in either state. */
  query(filter?: DeadLetterFilter): AsyncIterable<DeadLetter>;
  /** Removes letters that fit, except those that change meanwhile or are claimed under a running lease. Returns how many. */
  purge(filter: DeadLetterFilter, options?: PurgeOptions): Promise<number>;
  stats(): Promise<DeadLetterStats>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PutResult {
  readonly id: string;
  /** Whether it was added to a letter that was there. */
  readonly duplicate: boolean;
  /** Letters that `drop-oldest` removed for it. */
  readonly dropped: number;
}

export interface ClaimOptions {
  /** Most letters. Redis gives fewer at once where they are large: no more than 2 MiB, or a single one. @default 1 */
  readonly limit?: number;
  /** How long the claim holds, in milliseconds. @default 30000 */
  readonly leaseMs?: number;
  /** Only these, as far as they are due. */
  readonly ids?: readonly string[];
}

/** What proves a claim. `version` is the fencing token: a later claim or failure of the letter has a higher one. */
export interface Claim {
  readonly id: string;
  readonly version: number;
}

export interface ClaimedLetter extends DeadLetter {
  readonly state: 'claimed';
}

export interface NackOptions {
  /** Milliseconds until it may be claimed again. @default 0 */
  readonly delayMs?: number;
  /** What was thrown this time; counts as a failure. */
  readonly error?: unknown;
}

export interface PurgeOptions {
  /** Only counts. @default false */
  readonly dryRun?: boolean;
}

export interface DeadLetterStats {
  readonly dead: number;
  readonly claimed: number;
  readonly parked: number;
  /** Letters that `drop-oldest` removed since the store was made; on a server since its data was. */
  readonly dropped: number;
  /** Milliseconds since the oldest letter failed first, by the store's clock; missing where there is no letter. */
  readonly oldestAgeMs?: number;
}

export interface DeadLetterOptions {
  /** Keeps its letters apart from others. @default 'default' */
  readonly queue?: string;
  /** How long a letter is kept after its last failure, in milliseconds. @default 30 days */
  readonly retentionMs?: number;
  /** Times that a letter is claimed before it is parked. @default 5 */
  readonly maxRedrives?: number;
  /** What `put` does when the store is full: reject with `SAGE_DLQ_FULL`, or remove the oldest letter that nobody holds. @default 'reject-new' */
  readonly whenFull?: 'reject-new' | 'drop-oldest';
  /** Most bytes of one letter's payload, headers and error as JSON. @default 1 MiB */
  readonly maxLetterBytes?: number;
  /** Says what an error is; `createClassifier().classify` fits. @default the coarse reading of core's `verdictOf` */
  readonly classify?: (error: unknown) => ErrorClass;
  /** Texts that must not be kept of an error, of at least 6 characters each, beside those that have the shape of a key. @default none */
  readonly secrets?: readonly string[];
  /**
   * Changes what is kept, to leave out more. From the error's name, message and stack `secrets` are gone by then, and what has the shape of a key, a token
   * or the password of a URL; payload and headers are as they were put. The dedupe key and the fingerprint stay. @default nothing more
   */
  readonly redact?: (draft: LetterDraft) => LetterDraft;
}

export interface ErrorClass {
  readonly category: string;
  readonly reason: string;
  readonly status?: number | undefined;
}

export type LetterDraft = Pick<DeadLetter, 'payload' | 'headers' | 'error'>;
