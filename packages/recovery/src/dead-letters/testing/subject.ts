import { strict as assert } from 'node:assert';
import type { ConformanceCase } from '@sage-adk/core/testing';
import type { DeadLetter, DeadLetterFilter, NewDeadLetter } from '../letter.ts';
import type { ClaimedLetter, DeadLetterOptions, DeadLetterStore } from '../store.ts';

/** A store to be judged, and a way to let time pass for it. */
export interface DeadLetterSubject {
  /** Empty, and nobody else uses its queue. The case closes it. */
  readonly store: DeadLetterStore;
  /** Lets `ms` pass: advances the store's fake clock, or waits. */
  readonly pass: (ms: number) => Promise<void>;
}

export interface DeadLetterSubjectOptions extends DeadLetterOptions {
  readonly maxEntries?: number;
}

/** Makes a new subject with these options; called once by each case. */
export type CreateDeadLetterStore = (options: DeadLetterSubjectOptions) => Promise<DeadLetterSubject>;

export type DeadLetterCase = ConformanceCase<CreateDeadLetterStore>;

export function letterCase(
  name: string,
  options: DeadLetterSubjectOptions,
  check: (store: DeadLetterStore, subject: DeadLetterSubject) => Promise<void>,
): DeadLetterCase {
  return {
    name,
    async run(create) {
      const subject = await create(options);
      try {
        await check(subject.store, subject);
      } finally {
        await subject.store.close();
      }
    },
  };
}

/** A failure of the message `dedupeKey`. */
export function failed(dedupeKey: string, more: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return { source: 'inbox', dedupeKey, payload: { text: dedupeKey }, error: new Error('it broke'), ...more };
}

export async function claimOne(store: DeadLetterStore, leaseMs = 60_000): Promise<ClaimedLetter> {
  const [claimed] = await store.claim({ leaseMs });
  assert.ok(claimed, 'a letter is due');
  return claimed;
}

export async function all(store: DeadLetterStore, filter?: DeadLetterFilter): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of store.query(filter)) letters.push(letter);
  return letters;
}

export async function only(store: DeadLetterStore): Promise<DeadLetter> {
  const [letter, ...others] = await all(store);
  assert.ok(letter !== undefined && others.length === 0, `one letter, not ${others.length + 1}`);
  return letter;
}

/** Tries a few times what a busy machine may be too slow for, and a store that is right does at the first. */
export async function inTime<T>(attempt: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await attempt();
    } catch (error) {
      if (round === 4) throw error;
    }
  }
}
