import type { KeyValueStore } from '@sage-adk/core';

/** What was last known of an entry of the primary, or of the journal. */
export interface Copy {
  /** Null for one that was deleted. */
  readonly version: string | null;
  /** What a write of the key is made over: `version`, or the journal's record of its deletion. */
  readonly base: string | null;
  readonly value: unknown;
  readonly endsAtMs: number | null;
}

const prefix = 'copy:';

/** Copies in one store, which may lose or refuse them: reads while degraded are no promise. */
export class Copies {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  async find(key: string): Promise<Copy | undefined> {
    return (await this.#store.get(prefix + key))?.value as Copy | undefined;
  }

  /** Keeps a copy as far as the store can. */
  async keep(key: string, copy: Copy, ttlMs: number | undefined): Promise<void> {
    await this.#store.set(prefix + key, copy, ttlMs === undefined ? {} : { ttlMs }).catch(() => {});
  }
}
