import type { KeyValueStore } from '../../contracts/key-value-store.ts';
import type { ConformanceCase } from '../conformance-case.ts';

/** A store to be judged, and a way to let time pass for it. */
export interface KeyValueStoreSubject {
  /** Empty, and nobody else writes to it. The case closes it. */
  readonly store: KeyValueStore;
  /** Lets `ms` pass: advances the store's fake clock, or waits. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Makes a new subject; called once by each case. */
export type CreateKeyValueStore = () => Promise<KeyValueStoreSubject>;

export type KeyValueStoreCase = ConformanceCase<CreateKeyValueStore>;

export function storeCase(
  name: string,
  check: (store: KeyValueStore, subject: KeyValueStoreSubject) => Promise<void>,
): KeyValueStoreCase {
  return {
    name,
    async run(create) {
      const subject = await create();
      try {
        await check(subject.store, subject);
      } finally {
        await subject.store.close();
      }
    },
  };
}
