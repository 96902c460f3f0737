import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Context, operate, run, sources } from '@sage-adk/core';
import { createLogger, type Fields, type Logger, observeLogging } from '../src/index.ts';
import { memoryBackend, type MemoryBackend } from './support/memory-backend.ts';

const nothing = Object.create(null) as string;
const fail = (): never => {
  throw nothing as unknown as Error;
};

function revoked(): Fields {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

let warn: ReturnType<typeof jest.spyOn>;
beforeEach(() => void (warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})));
afterEach(() => warn.mockRestore());

function lineBy(log: (logger: Logger, backend: MemoryBackend) => void, format: 'json' | 'text' = 'json'): string {
  const backend = memoryBackend();
  log(createLogger({ backend, format, level: 'DEBUG' }), backend);
  expect(backend.written).toHaveLength(1);
  return backend.written[0]?.line ?? '';
}

/** What only JavaScript callers can pass, and what their line has of it. */
const odd: readonly [string, (logger: Logger) => void, object][] = [
  ['fields that are null', (logger) => logger.info('x', null as never), { msg: 'x' }],
  ['fields that cannot be read', (logger) => logger.info('x', revoked()), { msg: 'x', '...': '[unreadable]' }],
  ['a message without a text', (logger) => logger.info(nothing), { msg: '[unreadable]' }],
  ['a message that is a symbol', (logger) => logger.info(Symbol('s') as never), { msg: 'Symbol(s)' }],
  [
    'a function of fields that throws',
    (logger) => logger.log({ level: 'INFO', message: 'x', fields: fail }),
    { msg: 'x' },
  ],
  ['a child of null', (logger) => logger.child(null as never).info('x'), { msg: 'x' }],
  ['a child of what cannot be read', (logger) => logger.child(revoked()).info('x'), { '...': '[unreadable]' }],
  ['a user that is a number', (logger) => inContext({ userId: 42 }, () => logger.info('x')), { user_id: '42' }],
  [
    'a user that is null',
    (logger) => inContext({ userId: null, tenant: 't' }, () => logger.info('x')),
    { tenant: 't' },
  ],
  [
    'a user without a text',
    (logger) => inContext({ userId: nothing }, () => logger.info('x')),
    { user_id: '[unreadable]' },
  ],
];

function inContext(context: object, work: () => void): void {
  run(context as Context, work);
}

test.each(odd)('%s: the line is written', (_name, log, expected) => {
  expect(JSON.parse(lineBy(log))).toMatchObject(expected);
  // A reserved field makes a record of the line, which has to say the same.
  expect(JSON.parse(lineBy((logger) => log(logger.child({ ts: 1 }))))).toMatchObject(expected);
  lineBy(log, 'text');
  expect(warn).not.toHaveBeenCalled();
});

test('an entry that is none, and a backend that throws what has no text, are counted', () => {
  const backend = { ...memoryBackend(), write: fail };
  const logger = createLogger({ backend });
  logger.log(undefined as never);
  logger.info('x');
  const counters = sources().findLast(({ name }) => name === 'logging');
  expect(counters?.read()).toMatchObject({ written: 0, failed: 2 });
});

describe('the line of an operation', () => {
  const call = { provider: 'openai', model: 'm-1', api: 'chat', stream: false } as const;

  test('is written though its error cannot be read', () => {
    const error = Object.defineProperty(new Error('boom'), 'stack', { get: fail });
    for (const thrown of [error, new Proxy(new DOMException('gone', 'AbortError'), {}), revoked()]) {
      const line = lineBy((logger) => {
        using _watching = observeLogging(logger);
        try {
          operate('llm.call', call, () => {
            throw thrown as Error;
          });
        } catch {}
      });
      expect(JSON.parse(line)).toMatchObject({ level: 'WARN', operation: 'llm.call', outcome: 'error', model: 'm-1' });
      expect(JSON.parse(line)).toHaveProperty('err');
    }
  });

  test('is written though an attribute cannot be read', () => {
    const start = Object.defineProperty({ ...call }, 'model', { get: fail, enumerable: true });
    const line = lineBy((logger) => {
      using _watching = observeLogging(logger);
      operate('llm.call', start, () => 1);
    });
    expect(JSON.parse(line)).toMatchObject({ operation: 'llm.call', provider: 'openai', model: '[unreadable]' });
  });

  test('tells what the object of its start says now, though it was that of the one before', () => {
    const backend = memoryBackend();
    using _watching = observeLogging(createLogger({ backend, level: 'DEBUG' }));
    const start = { store: 'redis', namespace: 'one' };
    operate('storage.get', start, () => 1);
    start.namespace = 'two';
    operate('storage.get', start, () => 1);
    expect(backend.lines().map(({ namespace }) => namespace)).toEqual(['one', 'two']);
  });

  test.each([
    [{ fooBar: 1, fooBAR: 2 }],
    [{ fooBar: 1, FooBar: 2 }],
    [{ fooBAr: 1, fooBar: 2 }],
    [{ foo_Bar: 1, fooBar: 3, foo_bar: 2 }],
  ])('has each name once where attributes such as %j are spelt alike', (start) => {
    const line = lineBy((logger) => {
      using _watching = observeLogging(logger);
      operate('my.op' as 'storage.get', start as never, () => 1);
    });
    expect(JSON.stringify(JSON.parse(line))).toBe(line);
    expect(JSON.parse(line)).toHaveProperty('foo_bar', 2);
  });
});
