/** A storage fallback over stores in memory, and what a test does to them. */
import type { KeyValueStore } from '@sage-adk/core';
import { redisErrors } from '@sage-adk/core/redis';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMemoryDeadLetters, type DeadLetter, type DeadLetterStore } from '../../src/dead-letters/index.ts';
import { createMemoryStore, createStorageFallback, type StorageFallbackOptions } from '../../src/storage/index.ts';

/** A store with a switch. */
export function switched(store: KeyValueStore, state = { down: false }) {
  const unlessDown = async <T>(call: () => Promise<T>): Promise<T> => {
    if (state.down) throw redisErrors.NOT_READY();
    return call();
  };
  const wrapped: KeyValueStore = {
    get: (...args) => unlessDown(() => store.get(...args)),
    set: (...args) => unlessDown(() => store.set(...args)),
    delete: (...args) => unlessDown(() => store.delete(...args)),
    list: (...args) => unlessDown(() => store.list(...args)),
    close: () => store.close(),
  };
  return { store: wrapped, state };
}

export async function lettersOf(store: DeadLetterStore): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of store.query()) letters.push(letter);
  return letters;
}

/** A fallback over stores in memory that can be switched off. */
export function setUp(
  whenDown: 'read-only' | 'journal',
  more: Partial<StorageFallbackOptions> & { volatile?: boolean } = {},
) {
  const clock = createFakeClock();
  const truth = createMemoryStore({ clock });
  const primary = switched(truth);
  const replicated = createMemoryStore({ clock });
  const replica = switched(replicated);
  const deadLetters = createMemoryDeadLetters({ clock });
  const { volatile = false, ...options } = more;
  const open = (reached = primary.store) =>
    createStorageFallback({
      primary: reached,
      replica: replica.store,
      whenDown: whenDown === 'journal' ? { deadLetters, allowVolatileWrites: volatile } : 'read-only',
      clock,
      ...options,
    });
  return { clock, truth, primary, replicated, replica, deadLetters, open, storage: open() };
}
