import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Lists } from '../../src/stores/counters/lists.ts';

const longest = 24;

test('lists by slot are kept as they were written, whatever became of those beside them', () => {
  const write = fc.record({
    slot: fc.integer({ min: 0, max: 40 }),
    entries: fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: longest / 2 }),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 200 }), (writes) => {
      const lists = new Lists(longest, 40);
      const model = new Map<number, readonly number[]>();
      for (const { slot, entries } of writes) {
        lists.write(slot, entries.flat());
        model.set(slot, entries.flat());
      }
      for (let slot = 0; slot <= 40; slot++) {
        const found: number[] = [];
        lists.read(slot, found);
        expect(found).toEqual(model.get(slot) ?? []);
        expect(lists.fromEnd(slot, 2)).toBe(model.get(slot)?.at(-2));
      }
    }),
  );
});
