import { describe, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMemoryStore } from '../../src/stores/memory.ts';
import { storeCases } from '../../src/testing/index.ts';

describe('RL16: the memory store keeps the store contract', () => {
  for (const { name, run } of storeCases) {
    test(name, () =>
      run(async (startUs) => {
        const clock = createFakeClock({ nowMs: startUs / 1_000 });
        return { store: createMemoryStore({ clock }), advanceUs: (us) => clock.advance(us / 1_000) };
      }),
    );
  }
});
