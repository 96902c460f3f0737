import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { defineErrors, emit, extract, inject, observe, operate, run, type Subscription } from '@sage-adk/core';
import { catalogue } from '@sage-adk/core/catalogue';
import { createLogger, type Logger, observeLogging } from '../src/index.ts';
import { memoryBackend, type MemoryBackend } from './support/memory-backend.ts';

const request = { protocol: 'a2a', method: 'SendMessage', stream: false } as const;
const call = { provider: 'openai', model: 'm-1', api: 'chat', stream: false };
const entry = { store: 'redis', namespace: 'sessions' };

let backend: MemoryBackend;
let logger: Logger;
let watching: Subscription;
beforeEach(() => {
  backend = memoryBackend();
  logger = createLogger({ backend });
  watching = observeLogging(logger);
});
afterEach(() => watching[Symbol.dispose]());

const told = () => backend.lines().map(({ level, msg }) => `${String(level)} ${String(msg)}`);

describe('operations', () => {
  test('a request and a call of a model are INFO lines with what they learned', async () => {
    await operate('agent.request', request, () =>
      operate('llm.call', call, (operation) => {
        operation.set({ inputTokens: 7, costNanoUsd: 9n, firstTokenMs: 12 });
        return Promise.resolve();
      }),
    );
    expect(told()).toEqual(['INFO llm.call', 'INFO agent.request']);
    expect(backend.lines()[0]).toMatchObject({
      operation: 'llm.call',
      category: 'llm',
      outcome: 'ok',
      duration_ms: expect.any(Number),
      provider: 'openai',
      model: 'm-1',
      input_tokens: 7,
      cost_nano_usd: 9,
      first_token_ms: 12,
    });
  });

  test('the others are DEBUG lines, and follow a change of level at once', () => {
    const once = () => operate('storage.get', entry, () => 1);
    once();
    logger.level = 'DEBUG';
    once();
    logger.level = 'INFO';
    once();
    expect(told()).toEqual(['DEBUG storage.get']);
  });

  test('OL5: each operation and event is written in its category', () => {
    logger.level = 'DEBUG';
    for (const [name, { category }] of Object.entries(catalogue.operations)) {
      operate(name as 'storage.get', entry, () => 1);
      expect(backend.lines().at(-1)).toMatchObject({ operation: name, category });
    }
    for (const [name, { category, level }] of Object.entries(catalogue.events)) {
      emit(name as 'agent.state', { from: 'a', to: 'b' });
      expect(backend.lines().at(-1)).toMatchObject({ event: name, category, level });
    }
    const categories = new Set(backend.lines().map((line) => line['category']));
    expect(categories).toEqual(new Set(['lifecycle', 'llm', 'message', 'protocol', 'security', 'storage']));
  });

  test('OL5: a storage operation is told with the details of its query', () => {
    logger.level = 'DEBUG';
    operate('storage.set', entry, (operation) => {
      operation.set({ key: 'ada/c-1', ttlMs: 60_000, conditional: true });
      operation.set({ written: true });
    });
    operate('storage.list', entry, (operation) => operation.set({ prefix: 'ada/', limit: 10, count: 3 }));
    expect(backend.lines()).toMatchObject([
      {
        operation: 'storage.set',
        store: 'redis',
        namespace: 'sessions',
        key: 'ada/c-1',
        ttl_ms: 60_000,
        conditional: true,
        written: true,
      },
      { operation: 'storage.list', store: 'redis', namespace: 'sessions', prefix: 'ada/', limit: 10, count: 3 },
    ]);
  });

  test('OL7: a failure is at least WARN and is told although DEBUG is off; a critical one is ERROR', () => {
    const errors = defineErrors('LOGGINGTEST', { GONE: { category: 'critical', status: 500, message: 'gone' } });
    const fail = (error: Error) => () => {
      throw error;
    };
    expect(() => operate('storage.get', entry, fail(new Error('refused')))).toThrow();
    expect(() =>
      operate('storage.set', entry, fail(Object.assign(new Error('late'), { name: 'TimeoutError' }))),
    ).toThrow();
    expect(() => operate('storage.list', entry, fail(errors.GONE()))).toThrow();
    expect(told()).toEqual(['WARN storage.get', 'WARN storage.set', 'ERROR storage.list']);
    expect(backend.lines()[2]).toMatchObject({ code: 'SAGE_LOGGINGTEST_GONE', error_category: 'critical' });
  });

  test('what was denied or cancelled stays at its own level, without a stack', () => {
    operate('storage.get', entry, (operation) => operation.settle('denied'));
    operate('agent.request', request, (operation) =>
      operation.settle('cancelled', new DOMException('left', 'AbortError')),
    );
    expect(told()).toEqual(['INFO agent.request']);
    expect(backend.lines()[0]).toMatchObject({ outcome: 'cancelled', err: { type: 'AbortError', message: 'left' } });
    expect(backend.lines()[0]?.['err']).not.toHaveProperty('stack');
  });

  test('the stack of an error is written once, where it happened', async () => {
    const failing = operate('agent.request', request, () =>
      operate('llm.call', call, () => Promise.reject(new Error('overloaded'))),
    );
    await expect(failing).rejects.toThrow('overloaded');
    const [inner, outer] = backend.lines() as { err: object }[];
    expect(inner?.err).toHaveProperty('stack', expect.stringContaining('observe-logging.test.ts'));
    expect(outer?.err).toEqual({ type: 'Error', message: 'overloaded' });
  });

  test('OL3: a line at the end of an operation has the request it began in and the trace it is recorded in', async () => {
    const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
    const tracing = observe({
      name: 'tracing',
      trace: (operation) => (operation?.name === 'llm.call' ? ids : undefined),
    });
    await run({ requestId: 'r-1', agentId: 'a-1' }, () => operate('llm.call', call, () => Promise.resolve()));
    tracing[Symbol.dispose]();
    expect(backend.lines()[0]).toMatchObject({
      request_id: 'r-1',
      agent_id: 'a-1',
      trace_id: ids.traceId,
      span_id: ids.spanId,
    });
  });

  test('OL4: lines of two agents that serve one request carry the same request id', async () => {
    const hop = async (carrier: Record<string, string>) => {
      await run({ ...extract(carrier), agentId: 'second' }, () =>
        operate('agent.request', request, () => Promise.resolve()),
      );
    };
    await run({ requestId: 'r-7', agentId: 'first' }, () => operate('agent.request', request, () => hop(inject({}))));
    expect(backend.lines().map((line) => [line['agent_id'], line['request_id']])).toEqual([
      ['second', 'r-7'],
      ['first', 'r-7'],
    ]);
  });

  test('an operation of your own is a DEBUG line without a category', () => {
    logger.level = 'DEBUG';
    operate('billing.charge' as 'storage.get', { plan: 'pro' } as never, () => 1);
    expect(backend.lines()[0]).toMatchObject({ level: 'DEBUG', operation: 'billing.charge', plan: 'pro' });
    expect(backend.lines()[0]).not.toHaveProperty('category');
  });

  test('each name stands once in a line, whatever an operation of your own calls its attributes: what was learned last counts', () => {
    logger.level = 'DEBUG';
    const error = new Error('refused');
    const charge = (start: object, learned: object) =>
      operate('billing.charge' as 'storage.get', start as never, (operation) => {
        operation.set(learned);
        throw error;
      });
    const tries = [
      [{ plan: 'free', toString: 'own' }, { plan: 'pro' }],
      [{ outcome: 'mine', planName: 'a', plan_name: 'b' }, { duration_ms: 'long' }],
    ] as const;
    for (const [start, learned] of tries) expect(() => charge(start, learned)).toThrow('refused');
    expect(backend.lines()).toMatchObject([
      { plan: 'pro', to_string: 'own', outcome: 'error', err: { message: 'refused', stack: expect.any(String) } },
      { plan_name: 'b', outcome: 'mine', duration_ms: 'long', err: { message: 'refused' } },
    ]);
    for (const { line } of backend.written) expect(JSON.stringify(JSON.parse(line))).toHaveLength(line.length);
  });

  test('each line tells what its own operation said at its start, whatever the one before said', () => {
    logger.level = 'DEBUG';
    const changing = { tags: ['a'] };
    const starts = [
      { plan: 'free', seats: 1 },
      { plan: 'free', seats: 1 },
      { plan: 'free', seats: 2 },
      { plan: 'free' },
      { plan: 'free', price: 2 },
      { price: 2, plan: 'free' },
      { plan: 'free', seats: undefined },
    ];
    const charge = (start: object) => operate('billing.charge' as 'storage.get', start as never, () => 1);
    for (const start of starts) charge(start);
    charge(changing);
    changing.tags.push('b');
    charge(changing);
    const lines = backend.lines();
    for (const [at, start] of starts.entries()) {
      const { plan, seats, price } = lines[at] ?? {};
      expect(JSON.parse(JSON.stringify({ plan, seats, price }))).toEqual(JSON.parse(JSON.stringify(start)));
    }
    expect(lines.slice(-2)).toMatchObject([{ tags: ['a'] }, { tags: ['a', 'b'] }]);
  });

  test('each line tells what its own operation learned, in any order, whatever the one before learned', () => {
    const tell = (attributes: object, start: object = call) => {
      operate('llm.call', start as typeof call, (operation) => operation.set(attributes));
      const line = Object.entries(backend.lines().at(-1) ?? {});
      return Object.fromEntries(line.slice(line.findIndex(([name]) => name === 'duration_ms') + 1));
    };
    const { provider, api, stream } = call;
    const said = { provider, model: 'm-1', api, stream };
    expect(tell({ inputTokens: 1, outputTokens: 2 })).toEqual({ ...said, input_tokens: 1, output_tokens: 2 });
    expect(tell({ outputTokens: 3, inputTokens: 4 })).toEqual({ ...said, input_tokens: 4, output_tokens: 3 });
    expect(tell({ model: 'm-2', inputTokens: 5 })).toEqual({ ...said, model: 'm-2', input_tokens: 5 });
    expect(tell({ model: 'm-3' }, { provider })).toEqual({ provider, model: 'm-3' });
    expect(tell({ model: 'm-4' })).toEqual({ ...said, model: 'm-4' });
    expect(tell({})).toEqual(said);
  });

  test('a value is written the same in the first line of its kind and in the next ones', () => {
    const values = [
      'stop',
      'a "quoted"\nline',
      0,
      -0,
      0.25,
      1e21,
      Number.NaN,
      true,
      9n,
      2n ** 70n,
      { a: 1 },
      undefined,
    ];
    const valuesOf = () => {
      for (const value of values)
        operate('llm.call', call, (operation) => operation.set({ finishReason: value } as object));
      return backend
        .lines()
        .slice(-values.length)
        .map((line) => line['finish_reason']);
    };
    const first = values.map((value) => {
      const alone = memoryBackend();
      const own = observeLogging(createLogger({ backend: alone }));
      operate('llm.call', call, (operation) => operation.set({ finishReason: value } as object));
      own[Symbol.dispose]();
      return alone.lines()[0]?.['finish_reason'];
    });
    expect(valuesOf()).toEqual(first);
    expect(valuesOf()).toEqual(first);
  });

  test('a line that is made twice, for a field of its logger, still has the stack', () => {
    const own = memoryBackend();
    using _ = observeLogging(createLogger({ backend: own, fields: { operation: 'replaced' } }));
    const fail = () => {
      throw new Error('no');
    };
    expect(() => operate('agent.request', request, fail)).toThrow('no');
    expect(own.lines()[0]).toMatchObject({ operation: 'agent.request', err: { stack: expect.any(String) } });
  });

  test('attributes are redacted like any field', () => {
    logger.level = 'DEBUG';
    operate('billing.charge' as 'storage.get', { apiKey: 'k', plan: 'pro' } as never, () => 1);
    expect(backend.lines()[0]).toMatchObject({ api_key: '[redacted]' });
  });
});

describe('watching', () => {
  test('asks for nothing that cannot become a line', () => {
    logger.level = 'FATAL';
    const isEnabled = jest.spyOn(logger, 'isEnabled');
    operate('llm.call', call, () => 1);
    emit('security.violation', { kind: 'signature', reason: 'mismatch' });
    expect(isEnabled).not.toHaveBeenCalled();
    expect(backend.written).toHaveLength(0);
  });

  test('ends with its subscription', () => {
    watching[Symbol.dispose]();
    operate('llm.call', call, () => 1);
    logger.level = 'DEBUG';
    operate('llm.call', call, () => 1);
    expect(backend.written).toHaveLength(0);
  });
});
