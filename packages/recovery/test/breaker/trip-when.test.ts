/** Breakers of cockatiel as the rule of ours, which has its own recovery: they are told of it, and forget. */
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { ConsecutiveBreaker, CountBreaker, type IBreaker, SamplingBreaker } from 'cockatiel';
import { createCircuitBreaker, createCircuitBreakers } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const rules: readonly (readonly [string, () => IBreaker])[] = [
  ['ConsecutiveBreaker', () => new ConsecutiveBreaker(5)],
  ['CountBreaker', () => new CountBreaker({ threshold: 0.5, size: 10, minimumNumberOfCalls: 5 })],
  ['SamplingBreaker', () => new SamplingBreaker({ threshold: 0.5, duration: 30_000, minimumRps: 0.1 })],
];

describe.each(rules)('%s as the rule', (_, tripWhen) => {
  const open = () => {
    const clock = createFakeClock();
    const times = { openMs: 100, calmMs: 100, random: () => 0 };
    const breaker = createCircuitBreaker('openai', { tripWhen: tripWhen(), clock, ...times });
    const fail = (): void => breaker.tryAcquire()?.fail(busy);
    let failures = 0;
    for (; failures < 100 && breaker.state === 'closed'; failures++) fail();
    expect(breaker.state).toBe('open');
    expect(failures).toBeGreaterThan(2);
    return { breaker, clock, fail };
  };

  test('one failure after a recovery is not the next outage', () => {
    const { breaker, clock, fail } = open();
    clock.advance(1_000);
    for (let call = 0; call < 10 && breaker.state !== 'closed'; call++) {
      breaker.tryAcquire()?.succeed();
      clock.advance(200);
    }
    expect(breaker.state).toBe('closed');
    fail();
    expect(breaker.state).toBe('closed');
  });

  test('nor is one after a reset', () => {
    const { breaker, fail } = open();
    breaker.reset();
    fail();
    expect(breaker.state).toBe('closed');
    for (let failures = 1; failures < 4; failures++) fail();
    breaker.reset();
    fail();
    expect(breaker.state).toBe('closed');
  });
});

describe('breakers of many dependencies', () => {
  test('have a rule each, which a function makes', () => {
    const breakers = createCircuitBreakers({ tripWhen: () => new ConsecutiveBreaker(3) });
    const fail = (dependency: string): void => breakers.tryAcquire(dependency)?.fail(busy);
    fail('redis');
    fail('redis');
    fail('openai');
    expect([breakers.of('redis').state, breakers.of('openai').state]).toEqual(['closed', 'closed']);
    fail('redis');
    expect([breakers.of('redis').state, breakers.of('openai').state]).toEqual(['open', 'closed']);
    breakers.close();
  });

  test('share none that has seen the calls of another; one dependency may have one of its own', () => {
    const tripWhen = new ConsecutiveBreaker(3);
    expect(() => createCircuitBreakers({ tripWhen })).toThrow(/tripWhen.*a function that makes one/);
    createCircuitBreakers({ dependencies: { redis: { tripWhen } } }).close();
  });
});
