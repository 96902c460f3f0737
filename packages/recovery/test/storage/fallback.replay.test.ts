/** What becomes of the writes of an outage when the primary is back. */
import { describe, expect, test } from '@jest/globals';
import type { KeyValueStore, SetOptions } from '@sage-adk/core';
import { lettersOf, setUp, switched } from './fallback-subject.ts';

describe('a write of a key that nobody had a copy of', () => {
  test('ER10: takes the place of what the primary had before, and a delete does', async () => {
    const { storage, truth, primary, deadLetters, clock } = setUp('journal', { volatile: true });
    await truth.set('session:1', { user: 'u' });
    await truth.set('flag', 'off');
    await storage.recover();
    primary.state.down = true;
    clock.advance(5);
    expect(await storage.remove('session:1')).toMatchObject({ durability: 'replicated-later' });
    expect(await storage.write('flag', 'on')).toMatchObject({ durability: 'replicated-later' });
    expect(await storage.write('new', 1)).toMatchObject({ durability: 'replicated-later' });
    primary.state.down = false;
    expect(await storage.recover()).toBe('primary');
    clock.advance(5);
    expect(await truth.get('session:1')).toBeUndefined();
    expect((await truth.get('flag'))?.value).toBe('on');
    expect((await truth.get('new'))?.value).toBe(1);
    expect(await lettersOf(deadLetters)).toEqual([]);
    await storage.close();
  });

  test('ER10: renews the lifetime where the primary has the same value', async () => {
    const { storage, truth, primary, clock } = setUp('journal');
    await truth.set('a', 1, { ttlMs: 1_000 });
    await storage.recover();
    primary.state.down = true;
    await storage.write('a', 1, { ttlMs: 60_000 });
    primary.state.down = false;
    await storage.recover();
    clock.advance(2_000);
    expect((await truth.get('a'))?.value).toBe(1);
    await storage.close();
  });

  test.each(['write', 'remove'] as const)(
    'ER10: loses against a later %s of a process that never saw the outage',
    async (later) => {
      const { truth, deadLetters, clock, open, primary } = setUp('journal');
      const cutOff = switched(truth);
      const storage = open(cutOff.store);
      const other = open(primary.store);
      await truth.set('a', 'before');
      await storage.recover();
      await other.recover();
      cutOff.state.down = true;
      await storage.write('a', 'ours');
      clock.advance(5);
      await other[later]('a', 'theirs' as never);
      cutOff.state.down = false;
      await storage.recover();
      expect((await truth.get('a'))?.value).toBe(later === 'write' ? 'theirs' : undefined);
      expect(await lettersOf(deadLetters)).toMatchObject([{ payload: { key: 'a', op: 'set', value: 'ours' } }]);
      await Promise.all([storage.close(), other.close()]);
    },
  );

  test('ER10: is a condition for the primary where the caller gives one', async () => {
    const { storage, truth, primary, deadLetters } = setUp('journal');
    await truth.set('a', 'before');
    await storage.recover();
    primary.state.down = true;
    expect(await storage.write('a', 'ours', { ifVersion: null })).toMatchObject({ durability: 'replicated-later' });
    primary.state.down = false;
    await storage.recover();
    expect((await truth.get('a'))?.value).toBe('before');
    expect(await lettersOf(deadLetters)).toHaveLength(1);
    await storage.close();
  });
});

describe('a write over one that is just being brought to the primary', () => {
  /** The primary of one process, which first does something else before or after it wrote the key `a`. */
  function interrupted(store: KeyValueStore, when: 'before' | 'after', act: () => Promise<unknown>) {
    let isNext = true;
    const set = async (key: string, value: unknown, options?: SetOptions) => {
      const isFirst = isNext && key === 'a';
      if (isFirst) isNext = false;
      if (isFirst && when === 'before') await act();
      const version = await store.set(key, value, options);
      if (isFirst && when === 'after') await act();
      return version;
    };
    return { ...store, set };
  }

  test.each([
    ['before', 'write'],
    ['after', 'write'],
    ['before', 'remove'],
    ['after', 'remove'],
  ] as const)('ER10: %s the primary has that, a %s of another process is the last word', async (when, last) => {
    const { truth, deadLetters, clock, open } = setUp('journal');
    const states = [switched(truth), switched(truth)] as const;
    const two = open(states[1].store);
    const one = open(
      interrupted(states[0].store, when, async () => {
        clock.advance(5);
        // More than once: each is written over the one before.
        await two.write('a', 'between');
        await two[last]('a', 'second' as never);
      }),
    );
    await two.write('a', 'before');
    await one.recover();
    states[0].state.down = states[1].state.down = true;
    await two.write('a', 'first');
    await one.write('b', 'to see that it is down');
    states[0].state.down = false;
    await one.recover();
    states[1].state.down = false;
    await two.recover();
    clock.advance(5);
    expect((await truth.get('a'))?.value).toBe(last === 'write' ? 'second' : undefined);
    expect(await lettersOf(deadLetters)).toEqual([]);
    await Promise.all([one.close(), two.close()]);
  });

  test.each(['before', 'after'] as const)(
    'ER10: %s it, another process that brings the same is no conflict',
    async (when) => {
      const { truth, primary, deadLetters, open } = setUp('journal');
      await truth.set('a', 'before');
      const two = open();
      const one = open(interrupted(primary.store, when, () => two.recover()));
      primary.state.down = true;
      await two.write('a', 'ours');
      primary.state.down = false;
      await one.recover();
      expect((await truth.get('a'))?.value).toBe('ours');
      expect(await lettersOf(deadLetters)).toEqual([]);
      await Promise.all([one.close(), two.close()]);
    },
  );
});

test('ER10: what another process brought, and wrote over since, is neither brought again nor a conflict', async () => {
  const { truth, primary, replica, deadLetters, open } = setUp('journal');
  await truth.set('a', 'before');
  const two = open();
  let isNext = true;
  const get: KeyValueStore['get'] = async (key, options) => {
    if (key === 'a' && isNext) {
      isNext = false;
      await two.recover();
      // Unseen by the replica, so that no copy tells of it.
      replica.state.down = true;
      await two.write('a', 'later');
      replica.state.down = false;
    }
    return primary.store.get(key, options);
  };
  const one = open({ ...primary.store, get });
  primary.state.down = true;
  await two.write('a', 'ours');
  primary.state.down = false;
  await one.recover();
  expect((await truth.get('a'))?.value).toBe('later');
  expect(await lettersOf(deadLetters)).toEqual([]);
  await Promise.all([one.close(), two.close()]);
});

describe('a key that was deleted while degraded', () => {
  test('ER10: is gone for every fallback at once, and stays so', async () => {
    const { storage, primary, replicated, clock, open } = setUp('journal');
    const other = open();
    await storage.write('a', { user: 'u' });
    primary.state.down = true;
    await storage.remove('a');
    expect(await storage.get('a')).toBeUndefined();
    primary.state.down = false;
    await storage.recover();
    expect(await storage.get('a')).toBeUndefined();
    expect(await other.get('a')).toBeUndefined();
    clock.advance(5);
    expect(await storage.get('a')).toBeUndefined();
    expect((await replicated.get('copy:a'))?.value).toMatchObject({ version: null });
    primary.state.down = true;
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'SAGE_STORAGE_UNKNOWN' });
    await Promise.all([storage.close(), other.close()]);
  });

  test('ER10: can be written again, in the same outage and at once after it', async () => {
    const { storage, truth, primary, deadLetters } = setUp('journal');
    await storage.write('a', 1);
    await storage.write('b', 1);
    primary.state.down = true;
    await storage.remove('a');
    await storage.remove('b');
    await storage.write('a', 2);
    primary.state.down = false;
    await storage.recover();
    expect((await truth.get('a'))?.value).toBe(2);
    expect(await storage.write('b', 2)).toMatchObject({ durability: 'primary' });
    expect((await storage.get('b'))?.value).toBe(2);
    expect(await lettersOf(deadLetters)).toEqual([]);
    await storage.close();
  });
});

test('ER10: a write of the next outage is made over what the one before brought to the primary', async () => {
  const { storage, truth, primary, deadLetters, open } = setUp('journal');
  await storage.write('a', 0);
  for (let outage = 1; outage <= 3; outage++) {
    primary.state.down = true;
    await storage.write('a', outage);
    primary.state.down = false;
    // Whoever brings it.
    const next = open();
    await next.recover();
    await next.close();
    await storage.recover();
  }
  expect((await truth.get('a'))?.value).toBe(3);
  expect(await lettersOf(deadLetters)).toEqual([]);
  await storage.close();
});

test('ER10: a recovery that joins one that began during the outage is one of its own', async () => {
  const { storage, truth, primary, replica } = setUp('journal');
  await storage.recover();
  primary.state.down = true;
  await storage.write('a', 1);
  primary.state.down = false;
  replica.state.down = true;
  expect(await storage.recover()).toBe('reconciling');
  const failing = storage.recover();
  replica.state.down = false;
  expect(await storage.recover()).toBe('primary');
  await failing;
  expect((await truth.get('a'))?.value).toBe(1);
  await storage.close();
});
