import { describe, expect, test } from '@jest/globals';
import { keyValueStoreCases, recordOperations } from '@sage-adk/core/testing';
import { redisErrors } from '@sage-adk/core/redis';
import { lettersOf, setUp } from './fallback-subject.ts';

describe('while the primary is well it is a store like any other', () => {
  test.each(keyValueStoreCases)('ER10: $name', ({ run }) =>
    run(async () => {
      const { storage, clock } = setUp('journal');
      return { store: storage, pass: async (ms) => clock.advance(ms) };
    }),
  );
});

describe('read-only, the default', () => {
  test('ER11: reads answer from copies, writes are refused, and nothing unknown reads as absent', async () => {
    const { storage, primary } = setUp('read-only');
    using recorder = recordOperations();
    expect(await storage.write('a', 1)).toMatchObject({ durability: 'primary' });
    primary.state.down = true;
    expect(await storage.get('a')).toMatchObject({ value: 1, tier: 'replica', stale: true });
    await expect(storage.set('a', 2)).rejects.toMatchObject({ code: 'SAGE_STORAGE_READ_ONLY' });
    await expect(storage.delete('a')).rejects.toMatchObject({ code: 'SAGE_STORAGE_READ_ONLY' });
    await expect(storage.get('b')).rejects.toMatchObject({ code: 'SAGE_STORAGE_UNKNOWN' });
    await expect(storage.list()).rejects.toMatchObject({ code: 'SAGE_STORAGE_UNKNOWN' });
    expect(storage.state).toBe('degraded');
    expect(recorder.emitted('error.critical')).toMatchObject([{ source: 'storage', reason: 'degraded' }]);
    await storage.close();
  });

  test("ER11: the call that finds the primary down fails with the primary's own error", async () => {
    const { storage, primary } = setUp('read-only');
    primary.state.down = true;
    await expect(storage.set('a', 1)).rejects.toMatchObject({ code: 'SAGE_REDIS_NOT_READY' });
    await storage.close();
  });

  test('ER10: with both down, memory answers', async () => {
    const { storage, primary, replica } = setUp('read-only');
    await storage.set('a', 1);
    primary.state.down = true;
    replica.state.down = true;
    expect(await storage.get('a')).toMatchObject({ value: 1, tier: 'memory', stale: true });
    await storage.close();
  });

  test('ER10: it comes back by itself when the primary does', async () => {
    const { storage, primary, clock } = setUp('read-only');
    primary.state.down = true;
    await storage.set('a', 1).catch(() => {});
    await clock.advanceAsync(3_000);
    expect(storage.state).toBe('degraded');
    primary.state.down = false;
    await clock.advanceAsync(1_000);
    expect(storage.state).toBe('primary');
    expect(await storage.write('a', 2)).toMatchObject({ durability: 'primary' });
    expect(clock.pending).toBe(0);
    await storage.close();
  });

  test('a lifetime that is no number is refused alike, whether the primary is up or down', async () => {
    const { storage, primary } = setUp('journal');
    const refused = { code: 'SAGE_CORE_INVALID_OPTION' };
    await expect(storage.write('a', 1, { ttlMs: Number.NaN })).rejects.toMatchObject(refused);
    primary.state.down = true;
    await expect(storage.write('a', 1, { ttlMs: Number.NaN })).rejects.toMatchObject(refused);
    await expect(storage.set('a', 1, { ttlMs: 0 })).rejects.toMatchObject(refused);
    await storage.close();
  });

  test("an error that is the caller's own does not make it degraded", async () => {
    const { storage } = setUp('read-only');
    await expect(storage.set('a', 1n)).rejects.toMatchObject({ code: 'SAGE_STORAGE_NOT_JSON' });
    expect(storage.state).toBe('primary');
  });
});

describe('with a journal', () => {
  test('ER10: each write tells what is promised of it, and reads see it', async () => {
    const { storage, primary, replica } = setUp('journal', { volatile: true });
    await storage.recover();
    await storage.write('a', 1);
    primary.state.down = true;
    expect(await storage.write('a', 2)).toMatchObject({ durability: 'replicated-later' });
    expect(await storage.get('a')).toMatchObject({ value: 2, tier: 'replica', stale: true });
    replica.state.down = true;
    expect(await storage.write('b', 1)).toMatchObject({ durability: 'volatile' });
    expect(await storage.get('b')).toMatchObject({ value: 1, tier: 'memory' });
    await storage.close();
  });

  test('ER10: writes reach the primary when it is back, and a delete does', async () => {
    const { storage, primary, clock } = setUp('journal');
    for (const key of ['a', 'b']) await storage.set(key, 1);
    primary.state.down = true;
    await storage.set('a', 2);
    await storage.set('a', 3);
    await storage.delete('b');
    await storage.set('c', 1, { ttlMs: 60_000 });
    expect(await storage.get('b')).toBeUndefined();
    primary.state.down = false;
    expect(await storage.recover()).toBe('primary');
    await clock.advanceAsync(5);
    expect((await primary.store.get('a'))?.value).toBe(3);
    expect(await primary.store.get('b')).toBeUndefined();
    expect((await primary.store.get('c'))?.value).toBe(1);
    clock.advance(60_000);
    expect(await primary.store.get('c')).toBeUndefined();
    await storage.close();
  });

  test('ER10: a write that lost against the primary is a dead letter, and the primary wins', async () => {
    const { storage, primary, deadLetters } = setUp('journal');
    await storage.set('a', 1);
    primary.state.down = true;
    await storage.set('a', 'ours');
    primary.state.down = false;
    await primary.store.set('a', 'theirs');
    await storage.recover();
    expect((await storage.get('a'))?.value).toBe('theirs');
    expect(await lettersOf(deadLetters)).toMatchObject([
      { source: 'storage.conflict', payload: { key: 'a', op: 'set', value: 'ours' } },
    ]);
    await storage.close();
  });

  test('ER10: a write whose answer was lost is not written twice and is no conflict', async () => {
    const { storage, primary, deadLetters } = setUp('journal');
    await storage.set('a', 1);
    const answerless = { ...primary.store };
    const set = primary.store.set.bind(primary.store);
    primary.store.set = async (...args) => {
      await set(...args);
      primary.state.down = true;
      throw redisErrors.DEADLINE({ deadlineMs: 1 });
    };
    expect(await storage.write('a', 2)).toMatchObject({ durability: 'replicated-later' });
    Object.assign(primary.store, answerless);
    primary.state.down = false;
    await storage.recover();
    expect((await primary.store.get('a'))?.value).toBe(2);
    expect(await lettersOf(deadLetters)).toEqual([]);
    await storage.close();
  });

  test('ER10: a condition is judged by what is known, and by the primary in the end', async () => {
    const { storage, primary } = setUp('journal');
    const version = await storage.set('a', 1);
    primary.state.down = true;
    expect(await storage.set('a', 2, { ifVersion: 'other' })).toBeUndefined();
    const next = await storage.set('a', 2, { ifVersion: version ?? '' });
    expect(await storage.set('a', 3, { ifVersion: version ?? '' })).toBeUndefined();
    expect(await storage.set('a', 3, { ifVersion: next ?? '' })).toBeDefined();
    expect(await storage.set('a', 4, { ifVersion: null })).toBeUndefined();
    await storage.close();
  });

  test('ER10: the journal of a process that died is brought to the primary by the next', async () => {
    const { storage, primary, open } = setUp('journal');
    primary.state.down = true;
    await storage.set('a', 1);
    await storage.close();
    primary.state.down = false;
    const next = open();
    expect((await next.get('a'))?.value).toBe(1);
    expect((await primary.store.get('a'))?.value).toBe(1);
    await next.close();
  });

  test('ER10: what waits in the journal of a replica that is down is seen when that is back', async () => {
    const { storage, primary, replica } = setUp('journal');
    primary.state.down = true;
    await storage.set('a', 1);
    primary.state.down = false;
    replica.state.down = true;
    expect(await storage.recover()).toBe('reconciling');
    expect(await storage.get('a')).toBeUndefined();
    replica.state.down = false;
    expect(await storage.get('a')).toMatchObject({ value: 1, tier: 'primary', stale: false });
    await storage.close();
  });

  test('ER10: without a place for it a write is refused', async () => {
    const { storage, primary, replica } = setUp('journal');
    primary.state.down = true;
    replica.state.down = true;
    await expect(storage.set('a', 1)).rejects.toMatchObject({ code: 'SAGE_STORAGE_READ_ONLY' });
    await storage.close();
  });
});
