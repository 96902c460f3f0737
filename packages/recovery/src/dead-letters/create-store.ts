import { type Clock, inject, operate, requireNumber, requireOption, requireWhole, systemClock } from '@sage-adk/core';
import { coarseClass, createIds, type DraftOptions, prepare, prepareFailure } from './draft.ts';
import type { PreparedFailure, PreparedLetter } from './draft.ts';
import { deadLetterErrors } from './errors.ts';
import { createHideSecrets } from './hidden-secrets.ts';
import type { DeadLetter, DeadLetterFilter, NewDeadLetter } from './letter.ts';
import type { Claim, ClaimedLetter, DeadLetterOptions, DeadLetterStats, DeadLetterStore, PutResult } from './store.ts';

/** What a driver does. Each call takes effect whole or not at all; times are those of its server. */
export interface Backend {
  readonly name: string;
  /** Undefined where the store is full. */
  put(letter: PreparedLetter): Promise<PutResult | undefined>;
  /** Letters that were claimed, and how many were parked in place of it. */
  claim(options: { limit: number; leaseMs: number; ids: readonly string[] | undefined }): Promise<Taken>;
  ack(claim: Claim): Promise<boolean>;
  nack(claim: Claim, delayMs: number, failure: PreparedFailure | undefined): Promise<boolean>;
  extend(claim: Claim, leaseMs: number): Promise<boolean>;
  release(id: string): Promise<boolean>;
  /** Letters that fit, in the order of ids, and the cursor of the next page where there is one. A page may be empty. */
  page(filter: DeadLetterFilter, cursor: string, limit: number): Promise<LetterPage>;
  /** Removes those that still have their version and are not under a lease. Returns how many. */
  remove(letters: readonly Claim[]): Promise<number>;
  stats(): Promise<DeadLetterStats>;
  close(): Promise<void>;
}

export interface Taken {
  readonly letters: readonly ClaimedLetter[];
  readonly parked: number;
}

export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  readonly nextCursor: string | undefined;
}

/** The options that backends need, with their defaults. */
export type BackendOptions = Required<Pick<DeadLetterOptions, 'queue' | 'retentionMs' | 'maxRedrives' | 'whenFull'>>;

/** Checks the options that all stores share. */
export function backendOptions({
  queue = 'default',
  retentionMs = 30 * 24 * 60 * 60 * 1_000,
  maxRedrives = 5,
  whenFull = 'reject-new',
}: DeadLetterOptions): BackendOptions {
  requireOption('queue', queue, 'a name without braces and zero bytes', (name) => /^[^{}\0]+$/.test(name));
  requireWhole('retentionMs', retentionMs, 1);
  requireWhole('maxRedrives', maxRedrives, 1);
  requireOption('whenFull', whenFull, '"reject-new" or "drop-oldest"', (value) =>
    ['reject-new', 'drop-oldest'].includes(value),
  );
  return { queue, retentionMs, maxRedrives, whenFull };
}

const pageSize = 100;

/** Makes the store of a backend: ids, failures described, sizes checked, operations reported. */
export function createStore(
  backend: Backend,
  {
    queue = 'default',
    maxLetterBytes = 1024 * 1024,
    classify = coarseClass,
    redact = (draft) => draft,
    secrets = [],
  }: DeadLetterOptions,
  clock: Clock = systemClock,
): DeadLetterStore {
  requireWhole('maxLetterBytes', maxLetterBytes, 1);
  const draftOptions: DraftOptions = { queue, maxLetterBytes, classify, redact, hide: createHideSecrets(secrets) };
  const start = { store: backend.name, queue };
  const newId = createIds(clock);
  const close = () => backend.close();
  return {
    name: backend.name,
    queue,
    put: (letter) =>
      operate('dlq.put', start, async (operation) => {
        requireNumber('delayMs', letter.delayMs ?? 0, 0);
        const result = await backend.put(prepare(withOrigin(letter), newId(), draftOptions));
        if (result === undefined) throw deadLetterErrors.FULL({ queue });
        operation.set({ duplicate: result.duplicate });
        return result;
      }),
    async claim({ limit = 1, leaseMs = 30_000, ids } = {}) {
      requireWhole('limit', limit, 1, 1_000);
      return claimFrom(backend, { limit, leaseMs: requireNumber('leaseMs', leaseMs, 1), ids });
    },
    ack: (claim) => backend.ack(claim),
    async nack(claim, { delayMs = 0, error } = {}) {
      requireNumber('delayMs', delayMs, 0);
      return backend.nack(claim, delayMs, error === undefined ? undefined : prepareFailure(error, draftOptions));
    },
    async extend(claim, leaseMs) {
      return backend.extend(claim, requireNumber('leaseMs', leaseMs, 1));
    },
    release: (id) => backend.release(id),
    async *query(filter = {}) {
      for await (const letters of pages(backend, filter)) yield* letters;
    },
    purge: (filter, { dryRun = false } = {}) => purgeFrom(backend, filter, dryRun),
    stats: () => backend.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The letter with the trace that it failed in, for the one in which it is handled again to tell of. */
function withOrigin(letter: NewDeadLetter): NewDeadLetter {
  const { traceparent }: Record<string, string> = inject({});
  return traceparent === undefined ? letter : { ...letter, headers: { traceparent, ...letter.headers } };
}

async function claimFrom(
  backend: Backend,
  { ids, ...bounds }: Parameters<Backend['claim']>[0],
): Promise<readonly ClaimedLetter[]> {
  const options = { ...bounds, ids: ids && [...new Set(ids)] };
  for (;;) {
    const { letters, parked } = await backend.claim(options);
    // Nothing but letters to be parked: there may be others behind them.
    if (letters.length > 0 || parked === 0) return letters;
  }
}

async function purgeFrom(backend: Backend, filter: DeadLetterFilter, dryRun: boolean): Promise<number> {
  let purged = 0;
  for await (const letters of pages(backend, filter)) {
    purged += dryRun ? letters.length : await backend.remove(letters);
  }
  return purged;
}

async function* pages(backend: Backend, filter: DeadLetterFilter): AsyncIterable<readonly DeadLetter[]> {
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: LetterPage = await backend.page(filter, cursor, pageSize);
    if (page.letters.length > 0) yield page.letters;
    cursor = page.nextCursor;
  }
}
