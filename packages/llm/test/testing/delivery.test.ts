import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Behaviour, BytePlace } from '../../src/testing/behaviour.ts';
import { delivery, type Progress, type Step } from '../../src/testing/delivery.ts';
import type { Reply } from '../../src/testing/reply.ts';
import type { WireEvent } from '../../src/testing/wire/format.ts';

const events: readonly WireEvent[] = [
  { text: 'data: {"begin":1}\n\n', content: false },
  { text: 'data: {"text":"é"}\n\n', content: true },
  { text: 'data: {"text":"漢"}\n\n', content: true },
  { text: 'data: {"end":"now"}\n\n', content: false },
];
const whole = events.map(({ text }) => text).join('');

describe('the plan of an answer', () => {
  test('without a fault it is all of it, with a thought before each piece of content', () => {
    expect(planOf({}).kinds).toEqual(['write', 'think', 'write', 'think', 'write', 'write', 'end']);
    expect(planOf({})).toMatchObject({ text: whole, progress: { events: 4, contents: 2 } });
  });

  test.each<[BytePlace, number]>([
    [0, 0],
    [1, 1],
    [3, 3],
    [4, 4],
    [5, 4],
    [{ contents: 0 }, 1],
    [{ contents: 1 }, 2],
    [{ contents: 2 }, 3],
    [{ contents: 3 }, 4],
  ])('the place %j is after %i events', (place, count) => {
    const sent = events.slice(0, count).map(({ text }) => text);
    const isReached = JSON.stringify(place) !== '5' && JSON.stringify(place) !== '{"contents":3}';
    for (const [name, ending] of [
      ['cutAfter', 'cut'],
      ['stallAfter', 'stall'],
      ['endAfter', 'early'],
    ] as const) {
      expect(planOf({ [name]: place })).toMatchObject({ text: sent.join(''), ending: isReached ? ending : 'end' });
    }
    if (count === 4) return;
    expect(planOf({ errorEventAt: place as number })).toMatchObject({
      text: `${sent.join('')}error ${count}`,
      ending: 'early',
    });
    const { text } = planOf({ malformedAt: place as number });
    expect(text).not.toBe(whole);
    expect(text.split('\n\n')).toHaveLength(5);
    expect(text.startsWith(sent.join(''))).toBe(true);
    expect(
      text.endsWith(
        events
          .slice(count + 1)
          .map((event) => event.text)
          .join(''),
      ),
    ).toBe(true);
  });

  test('a body that is to be empty has no steps but its ending', () => {
    expect(planOf({ emptyBody: true }).kinds).toEqual(['early']);
  });

  test('what never ends stalls after all was said', () => {
    expect(planOf({ neverEnd: true })).toMatchObject({ text: whole, ending: 'stall' });
  });

  test('of two faults the earlier place counts', () => {
    expect(planOf({ cutAfter: 3, stallAfter: { contents: 1 } })).toMatchObject({
      ending: 'stall',
      progress: { events: 2 },
    });
    expect(planOf({ cutAfter: { bytes: 9 }, stallAfter: { bytes: 3 } })).toMatchObject({
      ending: 'stall',
      text: 'dat',
    });
  });

  test('in any number of bytes it is cut exactly there', () => {
    const all = Buffer.from(whole);
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.constantFrom('cutAfter', 'stallAfter', 'endAfter'), (bytes, name) => {
        const plan = planOf({ [name]: { bytes } });
        expect(plan.bytes).toEqual(all.subarray(0, bytes));
        expect(plan.ending).not.toBe('end');
      }),
    );
  });

  test('in pieces of any size it is the same bytes, and every piece but the last has that size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), (chunkBytes) => {
        const { bytes, writes } = planOf({ chunkBytes });
        expect(bytes.toString()).toBe(whole);
        expect(writes.slice(0, -1).every((size) => size === chunkBytes)).toBe(true);
        expect(writes.at(-1)).toBeLessThanOrEqual(chunkBytes);
      }),
    );
  });

  test('faults and pieces go together: any mixture ends once, and sends a beginning of the answer', () => {
    const place = fc.oneof(fc.nat(5), fc.record({ contents: fc.nat(3) }), fc.record({ bytes: fc.nat(100) }));
    const behaviours = fc.record(
      {
        cutAfter: place,
        stallAfter: place,
        endAfter: place,
        chunkBytes: fc.integer({ min: 1, max: 40 }),
        neverEnd: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(behaviours, (behaviour) => {
        const { kinds, bytes } = planOf(behaviour);
        expect(kinds.filter((kind) => kind !== 'write' && kind !== 'think')).toHaveLength(1);
        expect(kinds.at(-1)).not.toBe('write');
        expect(whole.startsWith(bytes.toString().replace(/\uFFFD+$/, ''))).toBe(true);
      }),
    );
  });
});

function planOf(behaviour: Behaviour) {
  const progress: Progress = { events: 0, contents: 0 };
  const reply: Reply = {
    status: 200,
    headers: {},
    events,
    streamed: true,
    answer: undefined,
    errorEvent: (count) => `error ${count}`,
  };
  const steps: Step[] = [...delivery(reply, behaviour, progress)];
  const pieces = steps.flatMap((step) => (step.kind === 'write' ? [step.bytes] : []));
  const bytes = Buffer.concat(pieces);
  return {
    kinds: steps.map(({ kind }) => kind),
    ending: steps.at(-1)?.kind,
    bytes,
    text: bytes.toString(),
    writes: pieces.map(({ length }) => length),
    progress,
  };
}
