import { describe, expect, test } from '@jest/globals';
import { defineErrors } from '@sage-adk/core';
import { recordOperations } from '@sage-adk/core/testing';
import { createDependency } from '../src/dependency/index.ts';
import { createFallbackChain, staticResponse, type Target } from '../src/fallback/index.ts';

const errors = defineErrors('CRITICALTEST', {
  FORGED: { category: 'critical', status: 401, message: 'The signature does not fit the key of its sender.' },
});
const ofServer = (code: string) =>
  Object.assign(new Error(`server said ${code}`), { name: 'PostgresError', severity: 'ERROR', code });

const targetsOf = (error: unknown, retries: boolean): Target<string, string>[] => [
  {
    name: 'first',
    call: () => Promise.reject(error),
    ...(retries && { dependency: createDependency('first', { retry: { budget: false, baseMs: 0, maxMs: 0 } }) }),
  },
  { name: 'second', call: () => 'answered' },
];

describe.each([true, false])('ER18: a critical error, its target with a dependency: %s', (retries) => {
  test.each([
    ['damaged storage', ofServer('XX001'), 'corruption', 'answered'],
    ['storage that is full', ofServer('53100'), 'storage', 'answered'],
    ['a violation of security', errors.FORGED(), 'security', 'thrown'],
  ])('%s alerts once, is not tried again, and falls back where that is safe', async (_, error, reason, answer) => {
    using recorded = recordOperations();
    const chain = createFallbackChain({
      name: 'chat',
      targets: targetsOf(error, retries),
      responses: [staticResponse('sorry')],
    });
    const told = await chain.execute('hi').then(
      ({ value }) => value,
      (thrown: unknown) => (thrown === error ? 'thrown' : thrown),
    );
    expect(told).toBe(answer);
    expect(recorded.emitted('error.critical')).toEqual([
      { source: 'first', reason, message: (error as Error).message },
    ]);
  });
});

test('ER18: that no provider answers alerts, and an answer at hand is given', async () => {
  using recorded = recordOperations();
  const down = Object.assign(new Error('down'), { status: 503 });
  const chain = createFallbackChain<string, string>({
    name: 'chat',
    targets: ['a', 'b'].map((name) => ({ name, call: () => Promise.reject(down) })),
    responses: [staticResponse('sorry')],
  });
  expect(await chain.execute('hi')).toMatchObject({ value: 'sorry', tier: 'static', degraded: true });
  expect(recorded.emitted('error.critical')).toMatchObject([{ source: 'chat', reason: 'provider_down' }]);
});
