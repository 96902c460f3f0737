import { describe, expect, test } from '@jest/globals';
import { createDescriptorWriter } from '../../src/backends/descriptor-writer.ts';

/** A pipe that takes as many bytes as each step says; 0 is a full pipe. */
function pipe(steps: number[]) {
  const taken: string[] = [];
  const slept: number[] = [];
  return {
    text: () => taken.join(''),
    sleptMs: () => slept.reduce((sum, ms) => sum + ms, 0),
    options: {
      patienceMs: 100,
      sleep: (ms: number) => void slept.push(ms),
      writeBytes(_descriptor: number, bytes: Uint8Array) {
        const count = Math.min(steps.shift() ?? Number.POSITIVE_INFINITY, bytes.length);
        if (count === 0) throw Object.assign(new Error('try again'), { code: 'EAGAIN' });
        taken.push(Buffer.from(bytes.subarray(0, count)).toString());
        return count;
      },
    },
  };
}

describe('a descriptor writer', () => {
  test('goes on until everything is taken, and waits for a full pipe', () => {
    const { options, text, sleptMs } = pipe([3, 0, 0, 2]);
    createDescriptorWriter(1, options).write('0123456789\n');
    expect(text()).toBe('0123456789\n');
    expect(sleptMs()).toBe(4);
  });

  test('gives a line up when nothing moves, then waits for no other', () => {
    const full = pipe(Array<number>(1_000).fill(0));
    const writer = createDescriptorWriter(1, full.options);
    expect(() => writer.write('a\n')).toThrow('took nothing for 100 ms');
    expect(full.sleptMs()).toBe(100);
    expect(() => writer.write('b\n')).toThrow('took nothing');
    expect(full.sleptMs()).toBe(100);
  });

  test('ends a line that was begun before it begins another', () => {
    const steps = [4, ...Array<number>(51).fill(0)];
    const { options, text } = pipe(steps);
    const writer = createDescriptorWriter(1, options);
    expect(() => writer.write('first\n')).toThrow('took nothing');
    writer.write('second\n');
    expect(text()).toBe('first\nsecond\n');
  });

  test('says what the operating system says', () => {
    const writer = createDescriptorWriter(1, {
      writeBytes: () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      },
    });
    expect(() => writer.write('x\n')).toThrow('no space left');
  });
});
