import { describe, expect, test } from '@jest/globals';
import { run, systemClock } from '@sage-adk/core';
import fc from 'fast-check';
import { createLogger, type Fields } from '../../src/index.ts';
import { recordOf } from '../../src/record.ts';
import { createRedaction } from '../../src/serialise/redaction.ts';
import { memoryBackend } from '../support/memory-backend.ts';

const nowMs = Date.UTC(2026, 10, 28, 19, 0, 0, 42);
const clock = { ...systemClock, now: () => nowMs };

// Names that meet: the line's own, the request's, the logger's, a secret one and any other.
const name = fc.oneof(
  fc.constantFrom('ts', 'msg', 'msg_', 'request_id', 'tenant', 'trace_id', 'service', 'apiKey', '__proto__', 'n'),
  fc.string(),
);
const value = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
const text = fc.string({ unit: fc.nat(0x10_ffff).map((point) => String.fromCodePoint(point).toWellFormed()) });

describe('a line that is written piece by piece', () => {
  test('says what the record of the same parts says, each name once', () => {
    fc.assert(
      fc.property(
        text,
        fc.dictionary(name, value),
        fc.dictionary(name, text),
        fc.record({ requestId: text, tenant: text }, { requiredKeys: [] }),
        (message, fields: Fields, bound: Fields, context) => {
          const backend = memoryBackend();
          run(context, () => createLogger({ backend, clock, fields: bound }).info(message, fields));
          const isSecret = createRedaction([]);
          const safe = boundOf(bound);
          const parts = { nowMs, level: 'INFO', message, context, trace: undefined, bound: safe, fields } as const;
          const record = JSON.parse(JSON.stringify(recordOf(parts, isSecret))) as object;
          const [written = ''] = backend.written.map(({ line }) => line);
          expect(JSON.parse(written)).toEqual(record);
          // A name that stands twice would go when it is read.
          expect(JSON.stringify(JSON.parse(written))).toHaveLength(written.length);

          function boundOf(raw: Fields): Fields {
            const own = memoryBackend();
            createLogger({ backend: own, clock, fields: raw }).info('');
            const { ts: _, level: __, severity_number: ___, msg: ____, ...rest } = own.lines()[0] ?? {};
            return rest;
          }
        },
      ),
    );
  });

  test('escapes what JSON escapes, in messages, names and values', () => {
    const odd = 'quote " slash \\ break \n nul \u0000 half \ud800 whole \u{1f600} separator \u2028';
    const backend = memoryBackend();
    createLogger({ backend }).info(odd, { [odd]: odd });
    expect(backend.lines()[0]).toMatchObject({ msg: odd, [odd]: odd });
    expect(backend.written[0]?.line).toContain('half \\ud800');
  });
});
