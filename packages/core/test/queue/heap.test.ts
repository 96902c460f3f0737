import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Heap, type HeapMember } from '../../src/queue/heap.ts';

interface Member extends HeapMember {
  key: number;
}

describe('heap', () => {
  test('after any adds, removals and moves the first is the least, and every member knows its place', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'add', 'remove', 'move', 'pop'),
      pick: fc.nat(),
      key: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new Heap<Member>((a, b) => a.key < b.key);
        const members: Member[] = [];
        for (const { kind, pick, key } of steps) {
          const member = members[pick % Math.max(1, members.length)];
          if (kind === 'add' || member === undefined) {
            const added = { key, heapIndex: -1 };
            members.push(added);
            heap.add(added);
          } else if (kind === 'move') {
            member.key = key;
            heap.moved(member);
          } else {
            const leaving = kind === 'pop' ? (heap.first as Member) : member;
            heap.remove(leaving);
            members.splice(members.indexOf(leaving), 1);
            expect(leaving.heapIndex).toBe(-1);
          }
          expect(heap.size).toBe(members.length);
          expect(heap.first?.key).toBe(members.length === 0 ? undefined : Math.min(...members.map((each) => each.key)));
          expect(members.map((each) => each.heapIndex).sort((a, b) => a - b)).toEqual(members.map((_, index) => index));
        }
      }),
    );
  });

  test('removing a member that is in no heap does nothing', () => {
    const heap = new Heap<Member>((a, b) => a.key < b.key);
    heap.add({ key: 1, heapIndex: -1 });
    heap.remove({ key: 2, heapIndex: -1 });
    expect(heap.size).toBe(1);
  });

  test('clearing it empties it, and the members may come again', () => {
    const heap = new Heap<Member>((a, b) => a.key < b.key);
    const member = { key: 1, heapIndex: -1 };
    heap.add(member);
    heap.clear();
    expect([heap.size, heap.first, member.heapIndex]).toEqual([0, undefined, -1]);
    heap.add(member);
    expect(heap.first).toBe(member);
  });
});
