import { describe, expect, jest, test } from '@jest/globals';
import { isSageError, observe, run, sources, systemClock } from '@sage-adk/core';
import { createLogger, type LogLevel } from '../src/index.ts';
import { memoryBackend } from './support/memory-backend.ts';

const atNoon = { ...systemClock, now: () => Date.UTC(2026, 10, 23, 12, 0, 0, 7) };
const levels: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

describe('a line', () => {
  test("OL1: it is one JSON object with time, level, severity, message and the caller's fields", () => {
    const backend = memoryBackend();
    createLogger({ backend, clock: atNoon, service: 'demo', fields: { region: 'eu' } }).info('started\nwell', {
      port: 80,
    });
    expect(backend.written[0]?.line).not.toContain('\n');
    expect(backend.lines()).toEqual([
      {
        ts: '2026-11-23T12:00:00.007Z',
        level: 'INFO',
        severity_number: 9,
        msg: 'started\nwell',
        service: 'demo',
        region: 'eu',
        port: 80,
      },
    ]);
  });

  test('OL2: each of the five levels is written from its own level on, and not below', () => {
    for (const level of levels) {
      const backend = memoryBackend();
      const logger = createLogger({ backend, level });
      logger.debug('d');
      logger.info('i');
      logger.warn('w');
      logger.error('e');
      logger.fatal('f');
      const expected = levels.slice(levels.indexOf(level));
      expect(backend.written.map((written) => written.level)).toEqual(expected);
      expect(levels.filter((each) => logger.isEnabled(each))).toEqual(expected);
    }
  });

  test('OL3: it carries the request, the trace and the agent it belongs to', () => {
    const backend = memoryBackend();
    const logger = createLogger({ backend });
    const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };
    const tracing = observe({ name: 'tracing', trace: () => ids });
    run(
      {
        requestId: 'r-1',
        agentId: 'a-1',
        messageId: 'm-1',
        sessionId: 's-1',
        userId: 'u-1',
        tenant: 't-1',
        protocol: 'a2a',
      },
      () => logger.info('answered'),
    );
    tracing[Symbol.dispose]();
    expect(backend.lines()[0]).toMatchObject({
      request_id: 'r-1',
      agent_id: 'a-1',
      trace_id: ids.traceId,
      span_id: ids.spanId,
      message_id: 'm-1',
      session_id: 's-1',
      user_id: 'u-1',
      tenant: 't-1',
      protocol: 'a2a',
    });
  });

  test("a field of the call comes before one of the logger, and that before the request's", () => {
    const backend = memoryBackend();
    const logger = createLogger({ backend, fields: { agent_id: 'own', tenant: 'own' } });
    run({ agentId: 'context', requestId: 'context', tenant: 'context' }, () => logger.info('x', { tenant: 'call' }));
    expect(backend.lines()[0]).toMatchObject({ agent_id: 'own', request_id: 'context', tenant: 'call' });
  });

  test("a field cannot pass for the line's own", () => {
    const backend = memoryBackend();
    createLogger({ backend, clock: atNoon }).info('real', {
      ts: 1,
      level: 'FATAL',
      msg: 'forged',
      severity_number: 21,
    });
    expect(backend.lines()[0]).toMatchObject({
      msg: 'real',
      level: 'INFO',
      severity_number: 9,
      msg_: 'forged',
      ts_: 1,
    });
  });

  test('an entry may belong to another request and trace than the running one', () => {
    const backend = memoryBackend();
    const logger = createLogger({ backend });
    run({ requestId: 'running' }, () => {
      logger.log({ level: 'INFO', message: 'other', context: { requestId: 'other' } });
      logger.log({ level: 'INFO', message: 'none', context: undefined });
    });
    expect(backend.lines().map((line) => line['request_id'])).toEqual(['other', undefined]);
  });
});

describe('a logger', () => {
  test('its children add fields, and share its level and its output', () => {
    const backend = memoryBackend();
    const logger = createLogger({ backend });
    const child = logger.child({ category: 'storage' }).child({ store: 'redis', password: 'p' });
    child.level = 'DEBUG';
    child.debug('read');
    expect(logger.level).toBe('DEBUG');
    expect(backend.lines()[0]).toMatchObject({ category: 'storage', store: 'redis', password: '[redacted]' });
  });

  test('tells of a change of level until the listener is disposed', () => {
    const logger = createLogger({ backend: memoryBackend() });
    const heard: LogLevel[] = [];
    const listening = logger.onLevelChange((level) => heard.push(level));
    logger.level = 'WARN';
    listening[Symbol.dispose]();
    logger.level = 'ERROR';
    expect(heard).toEqual(['WARN']);
  });

  test('a listener that throws hinders neither the change nor the other listeners', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const logger = createLogger({ backend: memoryBackend() });
    const heard: LogLevel[] = [];
    logger.onLevelChange(() => {
      throw new Error('deaf');
    });
    logger.onLevelChange((level) => heard.push(level));
    logger.level = 'WARN';
    expect([logger.level, heard]).toEqual(['WARN', ['WARN']]);
    expect(String(warn.mock.calls[0]?.[0])).toContain('deaf');
    warn.mockRestore();
  });

  test('does not ask for the fields of a line that is not written', () => {
    const fields = jest.fn(() => ({ costly: true }));
    const backend = memoryBackend();
    const logger = createLogger({ backend, level: 'DEBUG', samplingRate: 0 });
    logger.log({ level: 'DEBUG', message: 'sampled out', fields });
    expect(fields).not.toHaveBeenCalled();
    logger.log({ level: 'WARN', message: 'written', fields });
    expect(backend.lines()[0]).toMatchObject({ costly: true });
  });

  test('never throws, whatever the backend does, and counts what is lost', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const logger = createLogger({
      backend: {
        ...memoryBackend(),
        write() {
          throw new Error('disk full');
        },
      },
    });
    logger.info('first');
    logger.error('second');
    expect(
      sources()
        .findLast(({ name }) => name === 'logging')
        ?.read(),
    ).toEqual({ written: 0, sampledOut: 0, released: 0, failed: 2 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain('disk full');
    warn.mockRestore();
    return logger.close();
  });

  test('closes its backend once, gives its counters back, and writes nothing more', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const backend = memoryBackend();
    const before = sources().length;
    {
      await using logger = createLogger({ backend });
      logger.info('inside');
      await logger.flush();
      await logger.close();
      logger.info('too late');
    }
    expect(backend.closed).toBe(true);
    expect(backend.written).toHaveLength(1);
    expect(sources()).toHaveLength(before);
    warn.mockRestore();
  });

  test.each([
    ['level', { level: 'LOUD' as LogLevel }],
    ['format', { format: 'xml' as 'json' }],
    ['samplingRate', { samplingRate: 1.5 }],
    ['filePath', { filePath: '/tmp/x', backend: memoryBackend() }],
  ])('refuses a bad %s at once, naming it', (option, options) => {
    try {
      createLogger(options);
      throw new Error('not refused');
    } catch (error) {
      expect(isSageError(error, 'SAGE_CORE_INVALID_OPTION')).toBe(true);
      expect(String(error)).toContain(option);
    }
  });
});
