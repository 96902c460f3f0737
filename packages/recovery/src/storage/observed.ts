import { type EndOf, type KeyValueStore, operate, type SetOptions } from '@sage-adk/core';

/** Reports each call of `store` as an operation: `storage.get`, `storage.set`, `storage.delete`, `storage.list`. */
export function observed(name: string, namespace: string, store: Omit<KeyValueStore, 'close'>): typeof store {
  const start = { store: name, namespace };
  return {
    get: (key, options) =>
      operate('storage.get', start, async (operation) => {
        operation.set({ key });
        const entry = await store.get(key, options);
        operation.set({ hit: entry !== undefined });
        return entry;
      }),
    set: (key, value, options) =>
      operate('storage.set', start, async (operation) => {
        operation.set(askedOf(key, options));
        const version = await store.set(key, value, options);
        operation.set({ written: version !== undefined });
        return version;
      }),
    delete: (key, options) =>
      operate('storage.delete', start, async (operation) => {
        operation.set({ key });
        const deleted = await store.delete(key, options);
        operation.set({ deleted });
        return deleted;
      }),
    list: (options) =>
      operate('storage.list', start, async (operation) => {
        const { prefix = '', limit } = options ?? {};
        operation.set({ prefix, ...(limit !== undefined && { limit }) });
        const page = await store.list(options);
        operation.set({ count: page.keys.length });
        return page;
      }),
  };
}

function askedOf(key: string, { ttlMs, ifVersion }: SetOptions = {}): EndOf<'storage.set'> {
  return { key, conditional: ifVersion !== undefined, ...(ttlMs !== undefined && { ttlMs }) };
}
