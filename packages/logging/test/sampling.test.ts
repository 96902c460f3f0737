import { describe, expect, test } from '@jest/globals';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { observe } from '@sage-adk/core';
import fc from 'fast-check';
import { createLogger } from '../src/index.ts';
import { createSampler } from '../src/sampling.ts';
import { memoryBackend } from './support/memory-backend.ts';

const traceIds = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
  .filter((id) => !/^0+$/.test(id));

describe('the sampler', () => {
  test("keeps the traces that OpenTelemetry's ratio sampler keeps", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), traceIds, (rate, traceId) => {
        const { decision } = new TraceIdRatioBasedSampler(rate).shouldSample(ROOT_CONTEXT, traceId);
        expect(createSampler(rate, Math.random)(traceId)).toBe(decision === SamplingDecision.RECORD_AND_SAMPLED);
      }),
    );
  });

  test('leaves it to chance where there is no trace', () => {
    const chances = [0.05, 0.95];
    const keeps = createSampler(0.1, () => chances.shift() ?? 1);
    expect([keeps(undefined), keeps(undefined)]).toEqual([true, false]);
  });
});

describe('DEBUG lines', () => {
  const write = (samplingRate: number, random = Math.random) => {
    const backend = memoryBackend();
    return { backend, logger: createLogger({ backend, level: 'DEBUG', samplingRate, random }) };
  };

  test('OL6: with a rate of 0.05 about one in twenty is written', () => {
    let seed = 1;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const { backend, logger } = write(0.05, random);
    for (let n = 0; n < 2_000; n++) logger.debug('detail');
    expect(backend.written.length).toBeGreaterThan(60);
    expect(backend.written.length).toBeLessThan(140);
  });

  test('OL6: those of one trace are written all or not at all', () => {
    const { backend, logger } = write(0.5);
    for (const traceId of ['0'.repeat(31) + '1', 'f'.repeat(7) + '0'.repeat(25)]) {
      const tracing = observe({ name: 'tracing', trace: () => ({ traceId, spanId: 'a'.repeat(16), sampled: true }) });
      for (let n = 0; n < 10; n++) logger.debug('detail');
      tracing[Symbol.dispose]();
    }
    expect(backend.lines().map((line) => line['trace_id'])).toEqual(Array(10).fill('0'.repeat(31) + '1'));
  });

  test('OL7: WARN and above is written at any rate, and so is INFO', () => {
    const { backend, logger } = write(0);
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
    logger.fatal('f');
    expect(backend.written.map(({ level }) => level)).toEqual(['INFO', 'WARN', 'ERROR', 'FATAL']);
  });
});
