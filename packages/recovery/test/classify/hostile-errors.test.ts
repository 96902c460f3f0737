import { describe, expect, test } from '@jest/globals';
import { createMemoryDeadLetters } from '../../src/dead-letters/index.ts';
import { createDependency } from '../../src/dependency/index.ts';
import { createFallbackChain } from '../../src/fallback/index.ts';
import { createClassifier } from '../../src/index.ts';

const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
revoke();
const throwing = (member: string, status?: number): Error =>
  Object.defineProperty(Object.assign(new Error('x'), { status }), member, {
    get() {
      throw new Error('not readable');
    },
  });

describe.each([
  ['a revoked proxy', proxy],
  ['one whose code throws', throwing('code', 503)],
  ['one whose message throws', throwing('message')],
  ['one whose cause throws', throwing('cause')],
  ['one whose stack throws', throwing('stack')],
  ['one whose headers throw', throwing('headers')],
  ['one whose name throws', throwing('name')],
])('an error that cannot be read: %s', (_, hostile) => {
  const failing = (): Promise<never> => Promise.reject(hostile);

  test('is unknown, or the abort that it is the reason of', () => {
    const classifier = createClassifier();
    expect(classifier.classify(hostile)).toMatchObject({ category: 'permanent', reason: 'unknown', retry: 'no' });
    const signal = AbortSignal.abort(hostile);
    expect(classifier.classify(hostile, { signal })).toMatchObject({ category: 'cancelled', reason: 'caller' });
  });

  test('reaches the caller as it is', async () => {
    const dependency = createDependency('openai');
    // Within a list: a promise asks what it resolves with for its then.
    const [thrown] = await dependency.execute(failing).catch((error: unknown) => [error]);
    expect(thrown === hostile).toBe(true);
    dependency.close();
  });

  test('is one failure of a chain, and the next target answers', async () => {
    const failed = { name: 'a', call: failing };
    const chain = createFallbackChain({ name: 'chat', targets: [failed, { name: 'b', call: () => 'B' }] });
    expect(await chain.execute('')).toMatchObject({ value: 'B', servedBy: 'b' });
    const alone = createFallbackChain({ name: 'chat', targets: [failed] });
    const told = await alone.execute('').catch((error: unknown) => error as Error);
    expect(told).toMatchObject({ code: 'SAGE_FALLBACK_NO_TARGET' });
    expect((told as Error).cause === hostile).toBe(true);
  });

  test('costs no letter', async () => {
    const store = createMemoryDeadLetters();
    await store.put({ source: 'inbox', payload: 1, error: hostile });
    expect((await store.stats()).dead).toBe(1);
    await store.close();
  });
});
