import { describe, expect, test } from '@jest/globals';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { createDependency } from '../../src/dependency/index.ts';
import {
  cachedResponses,
  createFallbackChain,
  patternResponses,
  staticResponse,
  type Target,
} from '../../src/fallback/index.ts';

const failing = (status: number, fields: object = {}): Error =>
  Object.assign(new Error(`status ${status}`), { status, ...fields });
const busy = failing(503);

type Model = Target<string, string>;
const model = (name: string, error?: Error, fields: Partial<Model> = {}): Model => ({
  name,
  call: (input) => {
    if (error !== undefined) throw error;
    return `${name}: ${input}`;
  },
  ...fields,
});
const caught = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: unknown) => error);

describe('ER5: a chain of targets', () => {
  test('the first serves where it can', async () => {
    const chain = createFallbackChain({ name: 'chat', targets: [model('a'), model('b')] });
    expect(await chain.execute('hi')).toEqual({
      value: 'a: hi',
      servedBy: 'a',
      tier: 'primary',
      degraded: false,
      attempts: [],
    });
  });

  test('the next serves where it failed, and the outcome says so; steps and the fallback are told', async () => {
    using recorded = recordOperations();
    const chain = createFallbackChain({
      name: 'chat',
      targets: [model('a', busy), model('b', failing(401)), model('c')],
    });
    expect(await chain.execute('hi')).toEqual({
      value: 'c: hi',
      servedBy: 'c',
      tier: 'fallback',
      degraded: false,
      attempts: [
        { target: 'a', category: 'transient', reason: 'overloaded' },
        { target: 'b', category: 'permanent', reason: 'auth' },
      ],
    });
    expect(
      recorded
        .named('fallback.step')
        .map(({ start, outcome, attributes }) => [start.target, outcome, attributes.reason]),
    ).toEqual([
      ['a', 'error', 'overloaded'],
      ['b', 'error', 'auth'],
      ['c', 'ok', undefined],
    ]);
    expect(recorded.emitted('fallback.used')).toEqual([{ chain: 'chat', from: 'a', to: 'c', reason: 'overloaded' }]);
  });

  test.each([
    ['a bad request', failing(400)],
    ['a refusal of the content', failing(400, { code: 'content_filter' })],
    ['an abort', new DOMException('left', 'AbortError')],
  ])('nobody else is asked after %s', async (_, error) => {
    let asked = 0;
    const second = model('b', undefined, { call: () => `${asked++}` });
    const chain = createFallbackChain({
      name: 'chat',
      targets: [model('a', error), second],
      responses: [staticResponse('sorry')],
    });
    expect([await caught(chain.execute('hi')), asked]).toEqual([error, 0]);
  });

  test('another model may be asked what one refused, where the user says so', async () => {
    const targets = [model('a', failing(400, { code: 'content_filter' })), model('b')];
    const chain = createFallbackChain({ name: 'chat', targets, onContentPolicy: 'next' });
    expect((await chain.execute('hi')).servedBy).toBe('b');
  });

  test('a prompt that is too long goes to larger windows only', async () => {
    const tooLong = failing(400, { code: 'context_length_exceeded' });
    const targets = [
      model('small', tooLong, { contextWindow: 8_000 }),
      model('as small', undefined, { contextWindow: 8_000 }),
      model('large', undefined, { contextWindow: 200_000 }),
    ];
    expect((await createFallbackChain({ name: 'chat', targets }).execute('hi')).servedBy).toBe('large');
    const fails = createFallbackChain({ name: 'chat', targets, onContextLength: 'fail' });
    expect(await caught(fails.execute('hi'))).toBe(tooLong);
    const nowhere = createFallbackChain({ name: 'chat', targets: targets.slice(0, 2) });
    expect(await caught(nowhere.execute('hi'))).toBe(tooLong);
  });

  test('each target pays its own retries and has its own breaker', async () => {
    const clock = createFakeClock();
    const shape = { clock, retry: { jitter: 'none', baseMs: 0, maxMs: 0 }, breaker: { minCalls: 1 } } as const;
    const a = createDependency('a', shape);
    const b = createDependency('b', shape);
    let asked = 0;
    const chain = createFallbackChain<string, string>({
      name: 'chat',
      targets: [
        { name: 'a', dependency: a, call: () => Promise.reject((asked++, busy)) },
        { name: 'b', dependency: b, call: (input) => input },
      ],
    });
    const first = chain.execute('hi');
    await clock.advanceAsync(10);
    expect((await first).attempts[0]?.reason).toBe('rejected');
    expect((await chain.execute('hi')).servedBy).toBe('b');
    expect([asked, a.breaker?.state, b.breaker?.state]).toEqual([1, 'open', 'closed']);
  });
});

describe('the order', () => {
  const targets = [
    model('small', undefined, { priority: 2, cost: 1, quality: 3 }),
    model('large', undefined, { priority: 3, cost: 10, quality: 9 }),
    model('other', undefined, { priority: 1, cost: 5, quality: 5 }),
  ];
  const orderOf = async (order: 'priority' | 'cost' | 'quality'): Promise<unknown[]> => {
    const failed = targets.map((target) => ({ ...target, ...model(target.name, busy) }));
    const chain = createFallbackChain({ name: 'chat', targets: failed, order });
    using recorded = recordOperations();
    await caught(chain.execute('hi'));
    return recorded.named('fallback.step').map(({ start }) => start.target);
  };

  test('ER5: by priority, the lowest first', async () => {
    expect(await orderOf('priority')).toEqual(['other', 'small', 'large']);
  });

  test('ER6: by cost, from expensive to cheap', async () => {
    expect(await orderOf('cost')).toEqual(['large', 'other', 'small']);
  });

  test('ER7: by quality, from high to low', async () => {
    expect(await orderOf('quality')).toEqual(['large', 'other', 'small']);
  });

  test('ER6: what is left of a budget passes over what is dearer, and a function may decide', async () => {
    const chain = createFallbackChain({ name: 'chat', targets, order: 'quality', maxCost: () => 5 });
    expect(await chain.execute('hi')).toMatchObject({ servedBy: 'other', tier: 'fallback', attempts: [] });
    const own = createFallbackChain({
      name: 'chat',
      targets,
      order: (input, all) => all.filter(({ name }) => name === input),
      mayServe: (input) => input.length > 3,
    });
    expect((await own.execute('large')).tier).toBe('primary');
  });
});

describe('ER8 ER9: answers where no target gave one', () => {
  const down = [model('a', busy), model('b', failing(500))];
  const cache = new Map([
    ['hi', { value: 'cached', stale: false }],
    ['old', { value: 'stale', stale: true }],
  ]);
  const chain = createFallbackChain<string, string>({
    name: 'chat',
    targets: down,
    responses: [
      cachedResponses((input) =>
        input === 'broken' ? Promise.reject(new Error('x')) : Promise.resolve(cache.get(input)),
      ),
      patternResponses(
        (input) => input,
        [
          { pattern: /opening hours/gi, answer: 'From 9 to 5.' },
          { pattern: /order (\d+)/, answer: ([, order]) => `We look at order ${order}.` },
        ],
      ),
      staticResponse('Call 112.', { when: (input) => input.includes('emergency') }),
      staticResponse('Please try again in a minute.'),
    ],
  });

  test.each([
    ['hi', 'cached', 'cached', false],
    ['old', 'stale', 'cached', true],
    ['Opening hours?', 'From 9 to 5.', 'pattern', true],
    ['where is order 17', 'We look at order 17.', 'pattern', true],
    ['an emergency', 'Call 112.', 'static', true],
    ['broken', 'Please try again in a minute.', 'static', true],
  ])('%s', async (input, value, tier, degraded) => {
    for (let again = 0; again < 2; again++)
      expect(await chain.execute(input)).toMatchObject({ value, tier, servedBy: tier, degraded, attempts: [{}, {}] });
  });

  test('ER18 ER23: that all targets failed is critical, and without an answer the error says it plainly', async () => {
    using recorded = recordOperations();
    const bare = createFallbackChain({ name: 'chat', targets: down });
    const error = await caught(bare.execute('hi'));
    expect(error).toMatchObject({
      code: 'SAGE_FALLBACK_NO_TARGET',
      category: 'critical',
      status: 503,
      message: 'None of the 2 targets of chat could answer. Try again later.',
      cause: { errors: [busy, { status: 500 }] },
    });
    expect(recorded.emitted('error.critical')).toMatchObject([{ source: 'chat', reason: 'provider_down' }]);
  });

  test('a deadline leaves no time for another target, but for an answer at hand', async () => {
    const signal = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    expect(await caught(chain.execute('hi', { signal }))).toBe(signal.reason);
  });
});

test.each([
  [{ targets: [] }, 'at least one'],
  [{ targets: [model('a'), model('a')] }, 'different names'],
])('bad targets are refused: %#', (options, message) => {
  expect(() => createFallbackChain({ name: 'chat', ...options })).toThrow(message);
});

test.each([
  [{ order: 'quallity' as never }, 'order'],
  [{ onContextLength: 'Fail' as never }, 'onContextLength'],
  [{ onContentPolicy: 'Next' as never }, 'onContentPolicy'],
])('a word that is none of an option is refused: %j', (options, message) => {
  expect(() => createFallbackChain({ name: 'chat', targets: [model('a')], ...options })).toThrow(message);
});

test('the next target is asked whatever the first one threw', async () => {
  for (const thrown of [Object.create(null), Object.assign(new Error('x'), { code: 'constructor' })]) {
    const first: Model = { name: 'a', call: () => Promise.reject(thrown as Error) };
    const chain = createFallbackChain({ name: 'chat', targets: [first, model('b')] });
    expect(await chain.execute('hi')).toMatchObject({ value: 'b: hi', servedBy: 'b' });
  }
});
