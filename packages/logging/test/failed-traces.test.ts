import { describe, expect, jest, test } from '@jest/globals';
import { observe, operate, sources } from '@sage-adk/core';
import { createLogger, observeLogging } from '../src/index.ts';
import { createFailedTraces } from '../src/failed-traces.ts';
import { memoryBackend } from './support/memory-backend.ts';

const traceId = 'f'.repeat(32);

function traced(failedTraceLines?: number, format: 'json' | 'text' = 'json') {
  const backend = memoryBackend();
  const limit = failedTraceLines === undefined ? {} : { failedTraceLines };
  const logger = createLogger({ backend, level: 'DEBUG', samplingRate: 0, format, ...limit });
  const tracing = observe({ name: 'tracing', trace: () => ({ traceId, spanId: 'a'.repeat(16), sampled: false }) });
  return { backend, logger, tracing, messages: () => backend.lines().map(({ msg }) => msg) };
}

describe('suppressed DEBUG lines of a trace', () => {
  test('OL6: are written before the ERROR line that says it failed, and are no longer suppressed then', () => {
    const { logger, tracing, messages } = traced();
    using _ = tracing;
    logger.debug('one');
    logger.debug('two');
    logger.info('going on');
    logger.error('failed');
    logger.debug('three');
    expect(messages()).toEqual(['going on', 'one', 'two', 'failed', 'three']);
  });

  test('are written when its request ends with an error, and not when only a step does', async () => {
    const { logger, tracing, messages } = traced();
    using _ = tracing;
    using _watching = observeLogging(logger);
    const fail = () => Promise.reject(new Error('no'));
    logger.debug('detail');
    await operate('storage.get', { store: 'memory', namespace: 'n' }, fail).catch(() => undefined);
    expect(messages()).not.toContain('detail');
    await operate('agent.request', { protocol: 'http', type: 'message', stream: false } as never, fail).catch(
      () => undefined,
    );
    expect(messages()).toContain('detail');
  });

  test('are the last ones of a trace, and none where none are kept', () => {
    for (const [limit, kept] of [
      [2, ['b', 'c']],
      [0, []],
    ] as const) {
      const { logger, tracing, messages } = traced(limit);
      using _ = tracing;
      for (const letter of 'abc') logger.debug(letter);
      logger.error('failed');
      expect(messages()).toEqual([...kept, 'failed']);
    }
  });

  test.each(['json', 'text'] as const)('have no secret in %s that was registered after they were held', (format) => {
    const { logger, tracing, backend } = traced(undefined, format);
    using _ = tracing;
    logger.debug('fetched "sk-live-123456"\nand more', { n: 1 });
    logger.debug('nothing in it');
    logger.hide('"sk-live-123456"\nand');
    logger.error('failed');
    const lines = backend.written.map(({ line }) => line);
    expect(lines).toHaveLength(3);
    expect(lines.join('\n')).not.toContain('sk-live');
    const expected = { json: '"msg":"fetched [redacted] more"', text: ' DEBUG fetched [redacted] more trace_id=' };
    expect(lines[0]).toContain(expected[format]);
    expect(lines[1]).toContain(format === 'json' ? '"msg":"nothing in it"' : ' DEBUG nothing in it trace_id=');
  });

  test('that cannot be written are counted each, and take neither the others nor the ERROR line along', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { backend, logger, tracing, messages } = traced();
    using _ = tracing;
    let calls = 0;
    backend.write = (line, level) => {
      if (calls++ === 1) throw new Error('once');
      backend.written.push({ line, level });
    };
    for (const letter of 'abc') logger.debug(letter);
    logger.error('failed');
    expect(messages()).toEqual(['a', 'c', 'failed']);
    const counters = sources().findLast(({ name }) => name === 'logging');
    expect(counters?.read()).toMatchObject({ written: 1, released: 2, failed: 1 });
    warn.mockRestore();
  });

  test('take no more memory than their bound: the oldest trace goes first', () => {
    const traces = createFailedTraces(10, 100);
    for (let n = 0; n < 1_000; n++) traces.hold(`t${n}`, 'x'.repeat(40));
    expect(traces.release('t997')).toEqual([]);
    expect(traces.release('t998')).toHaveLength(1);
    expect(traces.release('t999')).toHaveLength(1);
  });
});
