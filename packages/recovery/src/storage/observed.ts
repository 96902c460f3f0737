import { type KeyValueStore, operate } from '@sage-adk/core';

/** Reports each call of `store` as an operation: `storage.get`, `storage.set`, `storage.delete`, `storage.list`. */
export function observed(name: string, namespace: string, store: Omit<KeyValueStore, 'close'>): typeof store {
  const start = { store: name, namespace };
  return {
    get: (key, options) =>
      operate('storage.get', start, async (operation) => {
        const entry = await store.get(key, options);
        operation.set({ hit: entry !== undefined });
        return entry;
      }),
    set: (key, value, options) =>
      operate('storage.set', start, async (operation) => {
        const version = await store.set(key, value, options);
        operation.set({ written: version !== undefined });
        return version;
      }),
    delete: (key, options) =>
      operate('storage.delete', start, async (operation) => {
        const deleted = await store.delete(key, options);
        operation.set({ deleted });
        return deleted;
      }),
    list: (options) =>
      operate('storage.list', start, async (operation) => {
        const page = await store.list(options);
        operation.set({ count: page.keys.length });
        return page;
      }),
  };
}
