import { describe, expect, test } from '@jest/globals';
import { systemClock } from '@sage-adk/core';
import fc from 'fast-check';
import { createLogger } from '../../src/index.ts';
import { memoryBackend } from '../support/memory-backend.ts';

const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 23) };

describe('the text format', () => {
  test('OL8: a line for people has time, level, message and name=value', () => {
    const backend = memoryBackend();
    createLogger({ backend, clock, format: 'text' }).warn('slow answer', {
      model: 'm-1',
      reason: 'two words',
      tokens: { input: 3 },
    });
    expect(backend.written[0]?.line).toBe(
      '2026-11-23T00:00:00.000Z WARN  slow answer model=m-1 reason="two words" tokens={"input":3}',
    );
  });

  test('stacks stand below the line, indented', () => {
    const backend = memoryBackend();
    createLogger({ backend, format: 'text' }).error('failed', {
      err: new Error('outer', { cause: new TypeError('inner') }),
    });
    const [head, ...stack] = (backend.written[0]?.line ?? '').split('\n');
    expect(head).toContain('err={"type":"Error","message":"outer","cause":{"type":"TypeError","message":"inner"}}');
    expect(stack[0]).toBe('    Error: outer');
    expect(stack).toContain('    TypeError: inner');
  });

  test('no value can forge a line or steer a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0x10_ffff).map((point) => String.fromCodePoint(point)) }), (text) => {
        const backend = memoryBackend();
        createLogger({ backend, format: 'text' }).info(`${text}\n\u001b[31m`, {
          [`${text}\r`]: text,
          list: [text, '\u0085'],
        });
        expect(backend.written[0]?.line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});
