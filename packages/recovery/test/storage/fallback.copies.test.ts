/** What a fallback remembers for an outage, and for how long. */
import { describe, expect, test } from '@jest/globals';
import type { KeyValueStore } from '@sage-adk/core';
import { createStorageFallback } from '../../src/storage/index.ts';
import { setUp } from './fallback-subject.ts';

const hourMs = 3_600_000;

/** The store, whose next `get` waits with its answer until it is let go. */
function slow(store: KeyValueStore) {
  const held = Promise.withResolvers<void>();
  let isNext = true;
  const wrapped: KeyValueStore = {
    ...store,
    async get(...args) {
      const found = await store.get(...args);
      if (isNext) {
        isNext = false;
        await held.promise;
      }
      return found;
    },
  };
  return { store: wrapped, release: () => held.resolve() };
}

describe('copies do not fill the replica', () => {
  test('ER10: nothing is kept of keys that never were, however many are asked for and deleted', async () => {
    const { storage, primary, replicated } = setUp('journal');
    for (let id = 0; id < 1_000; id++) {
      expect(await storage.get(`guess-${id}`)).toBeUndefined();
      await storage.delete(`guess-${id}`);
    }
    expect(replicated.size).toBe(0);
    primary.state.down = true;
    expect(await storage.write('a', 1)).toMatchObject({ durability: 'replicated-later' });
    await storage.close();
  });

  test('ER10: what was deleted is remembered for an hour, what was only read for a day', async () => {
    const { storage, truth, replicated, clock } = setUp('read-only');
    await truth.set('read', 1);
    await storage.get('read');
    await storage.set('gone', 1);
    await storage.delete('gone');
    const keys = async () => (await replicated.list()).keys;
    expect((await keys()).toSorted()).toEqual(['copy:gone', 'copy:read']);
    clock.advance(hourMs);
    expect(await keys()).toEqual(['copy:read']);
    clock.advance(23 * hourMs);
    expect(await keys()).toEqual([]);
    await storage.get('read');
    expect(await keys()).toEqual(['copy:read']);
    await storage.close();
  });

  test('ER10: a copy goes when the primary says that there is no such entry', async () => {
    const { storage, truth, replicated } = setUp('read-only');
    await storage.set('a', 1);
    await truth.delete('a');
    await storage.get('a');
    expect(replicated.size).toBe(0);
    await storage.close();
  });

  test('ER10: a copy keeps the lifetime of its entry when another process reads that', async () => {
    const { storage, primary, clock, open } = setUp('journal');
    await storage.set('a', 1, { ttlMs: 1_000 });
    const other = open();
    expect((await other.get('a'))?.value).toBe(1);
    primary.state.down = true;
    expect(await storage.get('a')).toMatchObject({ value: 1, stale: true });
    clock.advance(1_000);
    for (const one of [storage, other]) {
      await expect(one.get('a')).rejects.toMatchObject({ code: 'SAGE_STORAGE_UNKNOWN' });
    }
    await Promise.all([storage.close(), other.close()]);
  });
});

describe('a copy is never older than a write of this process that was acknowledged', () => {
  test.each([
    ['begins and ends', ['read', 'begin', 'end', 'answer']],
    ['begins', ['read', 'begin', 'answer', 'end']],
    ['ends', ['begin', 'read', 'end', 'answer']],
  ] as const)('ER10: a write %s while a slow read is under way', async (_, steps) => {
    const { truth, primary, replica, clock } = setUp('read-only');
    await truth.set('a', 'old');
    const reading = slow(primary.store);
    const writing = Promise.withResolvers<void>();
    const set: KeyValueStore['set'] = async (...args) => {
      await writing.promise;
      return primary.store.set(...args);
    };
    const storage = createStorageFallback({ primary: { ...reading.store, set }, replica: replica.store, clock });
    const calls: Promise<unknown>[] = [];
    const does = {
      read: () => void calls.push(storage.get('a')),
      begin: () => void calls.push(storage.write('a', 'new')),
      end: () => writing.resolve(),
      answer: () => reading.release(),
    };
    for (const step of steps) {
      does[step]();
      await clock.advanceAsync(1);
    }
    await Promise.all(calls);
    primary.state.down = true;
    await storage.set('x', 1).catch(() => {});
    expect(storage.state).toBe('degraded');
    expect(await storage.get('a')).toMatchObject({ value: 'new', stale: true });
    await storage.close();
  });

  test('ER10: nor does the slow read of another process put an older one in its place', async () => {
    const { truth, primary, clock, open } = setUp('journal');
    await truth.set('a', 'old');
    const reading = slow(primary.store);
    const other = open(reading.store);
    const storage = open();
    await storage.recover();
    await other.recover();
    const read = other.get('a');
    await clock.advanceAsync(5);
    await storage.set('a', 'new');
    reading.release();
    await read;
    primary.state.down = true;
    expect(await storage.get('a')).toMatchObject({ value: 'new' });
    await Promise.all([storage.close(), other.close()]);
  });
});
