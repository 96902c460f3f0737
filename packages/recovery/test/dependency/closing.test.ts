/** What ends with a dependency: all that it made itself, and nothing that it was given. */
import { describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createDependency } from '../../src/dependency/index.ts';
import { createCircuitBreakers, createRetryBudgets } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const offered = (name: string): string[] =>
  sources()
    .filter((source) => Object.keys(source.read()).some((key) => key.startsWith(`${name}.`)))
    .map((source) => source.name)
    .sort();

describe('counters of a dependency', () => {
  test('OM24: its own breaker, bulkhead and budgets offer theirs until it is closed', async () => {
    const dependency = createDependency('search', { retry: { budget: { ratio: 0.1 } }, breaker: { minCalls: 1 } });
    await dependency.execute(() => Promise.reject(busy)).catch(() => {});
    expect(offered('search')).toEqual(['recovery.breaker', 'recovery.budget', 'recovery.bulkhead']);
    const breaker = sources().filter(({ name }) => name === 'recovery.breaker');
    expect(Object.assign({}, ...breaker.map((source) => source.read()))).toMatchObject({ 'search.state': 2 });
    dependency.close();
    expect(offered('search')).toEqual([]);
  });

  test('many that were made and closed leave nothing', () => {
    const before = sources().length;
    for (let made = 0; made < 20; made++) createDependency('search', { retry: { budget: { ratio: 0.1 } } }).close();
    expect(sources().length).toBe(before);
  });

  test('budgets that it was given stay', () => {
    const budget = createRetryBudgets();
    budget.of('search').deposit();
    createDependency('search', { retry: { budget } }).close();
    expect(offered('search')).toEqual(['recovery.budget']);
    budget.close();
  });
});

test('a breaker that it was given stays open for the others who wait for it', async () => {
  const clock = createFakeClock();
  await using breakers = createCircuitBreakers({ minCalls: 1, openMs: 300, random: () => 0, clock });
  const breaker = breakers.of('search');
  breaker.tryAcquire()?.fail(busy);
  const shared = { breaker, retry: false, permitWaitMs: 2_000, clock } as const;
  await using other = createDependency('search', shared);
  const answer = other.execute(() => 'served');
  createDependency('search', shared).close();
  await clock.advanceAsync(500);
  expect(await answer).toBe('served');
});
