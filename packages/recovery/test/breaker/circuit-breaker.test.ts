import { describe, expect, test } from '@jest/globals';
import { type BreakerPermit, sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { ConsecutiveBreaker, handleAll, retry, timeout, TimeoutStrategy, wrap } from 'cockatiel';
import { type BreakerOptions, createCircuitBreaker, createCircuitBreakers } from '../../src/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
const wrongKey = Object.assign(new Error('wrong key'), { status: 401 });

function make(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker('openai', { minCalls: 4, openMs: 1_000, random: () => 0, clock, ...options });
  const acquire = (): BreakerPermit => {
    const permit = breaker.tryAcquire();
    if (permit === undefined) throw new Error('refused');
    return permit;
  };
  const fail = (times: number): void => {
    for (let call = 0; call < times; call++) acquire().fail(busy);
  };
  const succeed = (times: number): void => {
    for (let call = 0; call < times; call++) acquire().succeed();
  };
  /** Opens it and lets it rest. */
  const recover = (): void => {
    fail(4);
    clock.advance(500);
  };
  return { clock, breaker, acquire, fail, succeed, recover };
}

describe('opening', () => {
  test('ER19: opens at the share of failures, not before enough calls', () => {
    const { breaker, fail, succeed } = make({ failureRatio: 0.5 });
    fail(2);
    succeed(1);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
    expect(breaker.tryAcquire()).toBeUndefined();
  });

  test('ER19: what is older than the window says nothing, even if nothing happened since', () => {
    const { breaker, clock, acquire, fail, succeed } = make({ minCalls: 10, windowMs: 10_000 });
    fail(9);
    clock.advance(3_600_000);
    succeed(1);
    fail(1);
    expect(breaker.state).toBe('closed');
    expect(breaker.snapshot()).toMatchObject({ successes: 1, failures: 1 });
    acquire().release();
  });

  test('ER19: a step of the wall clock changes nothing', () => {
    const { breaker, clock, fail } = make();
    fail(3);
    clock.stepWall(86_400_000);
    fail(1);
    expect(breaker.state).toBe('open');
    clock.stepWall(-86_400_000);
    clock.advance(500);
    expect(breaker.tryAcquire()).toBeDefined();
  });

  test('slow successes open it', () => {
    const { breaker, clock, acquire } = make({ slowMs: 200, slowRatio: 0.5 });
    for (const tookMs of [0, 200, 0, 250]) {
      const permit = acquire();
      clock.advance(tookMs);
      permit.succeed();
    }
    expect(breaker.state).toBe('open');
  });

  test.each([
    ['a permanent error', wrongKey],
    ['a limit', Object.assign(new Error('slow down'), { status: 429 })],
    ['an abort', new DOMException('left', 'AbortError')],
    ['an error that nobody knows', new Error('x')],
  ])('%s does not count', (_, error) => {
    const { breaker, acquire } = make();
    for (let call = 0; call < 50; call++) acquire().fail(error);
    expect(breaker.snapshot()).toMatchObject({ failures: 0, successes: 0 });
  });

  test('a user may count by another rule, or trip by a breaker of cockatiel', () => {
    const strict = make({ isFailure: ({ reason }) => reason === 'auth' });
    for (let call = 0; call < 4; call++) strict.acquire().fail(wrongKey);
    expect(strict.breaker.state).toBe('open');
    const consecutive = make({ tripWhen: new ConsecutiveBreaker(3) });
    consecutive.fail(2);
    consecutive.succeed(1);
    consecutive.fail(2);
    expect(consecutive.breaker.state).toBe('closed');
    consecutive.fail(1);
    expect(consecutive.breaker.state).toBe('open');
  });

  test.each([
    [{ failureRatio: 0 }, 'failureRatio'],
    [{ minCalls: 0 }, 'minCalls'],
    [{ openMs: 100, maxOpenMs: 50 }, 'maxOpenMs'],
    [{ health: { check: async () => true, intervalMs: 0 } }, 'health.intervalMs'],
  ])('a bad option is named: %j', (bad, name) => {
    expect(() => createCircuitBreaker('a', bad)).toThrow(name);
    expect(() => createCircuitBreakers({ dependencies: { a: bad } })).toThrow(name);
  });
});

describe('ER22: gradual recovery', () => {
  test('lets one call through, and the others are refused at once', () => {
    const { breaker, acquire, recover } = make();
    recover();
    acquire();
    for (let call = 0; call < 200; call++) expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ probing: 1, rejected: 200, state: { name: 'recovering', window: 1 } });
  });

  test('lets more through with each success, and closes when it bound nobody for a while', () => {
    const { breaker, clock, acquire, recover } = make({ calmMs: 3_000 });
    recover();
    const most: number[] = [];
    for (let round = 0; round < 4; round++) {
      const permits: BreakerPermit[] = [];
      for (let permit = breaker.tryAcquire(); permit !== undefined; permit = breaker.tryAcquire()) permits.push(permit);
      most.push(permits.length);
      for (const permit of permits) permit.succeed();
    }
    expect(most).toEqual([1, 2, 4, 8]);
    clock.advance(2_999);
    acquire().succeed();
    expect(breaker.state).toBe('recovering');
    clock.advance(1);
    acquire().succeed();
    expect(breaker.state).toBe('closed');
  });

  test('does not grow by an answer that took far longer than the fastest', () => {
    const { breaker, clock, acquire, recover } = make();
    recover();
    const windows: unknown[] = [];
    for (const tookMs of [100, 250, 251, 200]) {
      const permit = acquire();
      clock.advance(tookMs);
      permit.succeed();
      const { state } = breaker.snapshot();
      windows.push(state.name === 'recovering' ? state.window : state.name);
    }
    expect(windows).toEqual([2, 3, 3, 4]);
  });

  test('a failed first call rests again, for longer', () => {
    const { breaker, clock, acquire, recover } = make();
    recover();
    acquire().fail(busy);
    expect(breaker.state).toBe('open');
    clock.advance(999);
    expect(breaker.tryAcquire()).toBeUndefined();
    clock.advance(1);
    expect(breaker.tryAcquire()).toBeDefined();
  });

  test('a permanent or cancelled result gives its place back and does not close it', () => {
    const { breaker, acquire, recover } = make({ calmMs: 0 });
    recover();
    acquire().fail(wrongKey);
    expect(breaker.state).toBe('recovering');
    acquire().fail(new DOMException('left', 'AbortError'));
    acquire().release();
    expect(breaker.snapshot()).toMatchObject({ probing: 0, state: { name: 'recovering', window: 1 } });
  });

  test('a call that hangs fails, and blocks the recovery no longer than its timeout', () => {
    const { breaker, clock, acquire, recover } = make({ probeTimeoutMs: 5_000 });
    recover();
    const hung = acquire();
    clock.advance(4_999);
    expect(breaker.tryAcquire()).toBeUndefined();
    clock.advance(1);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.state).toBe('open');
    clock.advance(1_000);
    acquire();
    hung.succeed();
    expect(breaker.snapshot().state).toMatchObject({ name: 'recovering', window: 1 });
  });

  test('a call from before the outage that fails late does not open it again', () => {
    const { breaker, acquire, recover } = make();
    const early = acquire();
    recover();
    const probe = acquire();
    early.fail(busy);
    expect(breaker.state).toBe('recovering');
    probe.succeed();
    expect(breaker.snapshot().state).toMatchObject({ name: 'recovering', window: 2 });
  });

  test('only the first word of a permit counts', () => {
    const { breaker, acquire, recover } = make();
    recover();
    const permit = acquire();
    permit.succeed();
    permit.fail(busy);
    permit.succeed();
    expect(breaker.snapshot().state).toMatchObject({ name: 'recovering', window: 2 });
  });
});

describe('ER20: recovery by health checks', () => {
  test('only the check asks while it rests; when it passes callers may, and without callers it closes', async () => {
    let well = false;
    let asked = 0;
    const check = async (): Promise<boolean> => (asked++, well);
    const { breaker, clock, fail } = make({ maxOpenMs: 60_000, health: { check, intervalMs: 250, successes: 2 } });
    fail(4);
    await clock.advanceAsync(5_000);
    expect([asked, breaker.tryAcquire()]).toEqual([20, undefined]);
    well = true;
    await clock.advanceAsync(250);
    expect(breaker.state).toBe('open');
    await clock.advanceAsync(250);
    expect(breaker.state).toBe('recovering');
    await clock.advanceAsync(3_000);
    expect(breaker.state).toBe('closed');
    expect(clock.pending).toBe(0);
  });

  test('a check that hangs or throws fails, and close stops it', async () => {
    let call = 0;
    const check = (signal: AbortSignal): Promise<boolean> =>
      call++ === 0 ? Promise.reject(new Error('x')) : new Promise(() => signal.throwIfAborted());
    const { breaker, clock, fail } = make({ maxOpenMs: 60_000, health: { check, intervalMs: 100 } });
    fail(4);
    await clock.advanceAsync(1_000);
    expect(call).toBeGreaterThan(2);
    expect(breaker.state).toBe('open');
    await breaker[Symbol.asyncDispose]();
    const before = call;
    await clock.advanceAsync(1_000);
    expect(call).toBe(before);
  });

  test('a late failure of a closed one starts no check again', async () => {
    let asked = 0;
    const { breaker, clock, acquire } = make({ minCalls: 1, health: { check: async () => (asked++, false) } });
    const late = acquire();
    breaker.close();
    late.fail(busy);
    expect(breaker.state).toBe('open');
    await clock.advanceAsync(60_000);
    expect([asked, clock.pending]).toEqual([0, 0]);
  });

  test('a dependency whose check is broken is tried by callers after the longest rest', () => {
    const health = { check: async () => false };
    const { breaker, clock, fail } = make({ maxOpenMs: 8_000, health });
    fail(4);
    clock.advance(4_000);
    expect(breaker.tryAcquire()).toBeDefined();
  });
});

describe('by hand', () => {
  test('stays open while forced, then recovers', () => {
    const { breaker, clock, succeed } = make();
    const forced = breaker.forceOpen('maintenance');
    clock.advance(3_600_000);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ state: { name: 'forced-open', reason: 'maintenance' } });
    forced[Symbol.dispose]();
    expect(breaker.state).toBe('recovering');
    breaker.reset();
    forced[Symbol.dispose]();
    succeed(1);
    expect(breaker.state).toBe('closed');
  });

  test('lets everything through while disabled', () => {
    const { breaker, fail } = make();
    breaker.disable();
    fail(100);
    expect(breaker.state).toBe('disabled');
    breaker.reset();
    expect(breaker.state).toBe('closed');
  });
});

describe('ER21: what is told', () => {
  test('each change of state is an event', () => {
    using recorded = recordOperations();
    const { acquire, clock, recover } = make();
    recover();
    acquire().fail(busy);
    clock.advance(1_000);
    acquire().succeed();
    acquire().fail(busy);
    acquire().fail(busy);
    expect(recorded.emitted('breaker.changed')).toEqual([
      { dependency: 'openai', from: 'closed', to: 'open', reason: 'failures' },
      { dependency: 'openai', from: 'open', to: 'recovering', reason: 'recovered' },
      { dependency: 'openai', from: 'recovering', to: 'open', reason: 'failures' },
    ]);
  });

  test('ER19: a breaker per dependency, with its own options, state and counted refusals', () => {
    const clock = createFakeClock();
    const breakers = createCircuitBreakers({ minCalls: 2, clock, dependencies: { redis: { minCalls: 1 } } });
    breakers.tryAcquire('redis')?.fail(busy);
    breakers.tryAcquire('openai')?.fail(busy);
    breakers.tryAcquire('redis');
    expect(breakers.of('redis')).toBe(breakers.of('redis'));
    const told = (): unknown =>
      sources()
        .find(({ name }) => name === 'recovery.breaker')
        ?.read();
    expect(told()).toEqual({
      'redis.state': 2,
      'redis.rejected': 1,
      'redis.failures': 0,
      'openai.state': 0,
      'openai.rejected': 0,
      'openai.failures': 1,
    });
    expect(breakers.snapshot().map(({ dependency, state }) => [dependency, state.name])).toEqual([
      ['redis', 'open'],
      ['openai', 'closed'],
    ]);
    breakers.close();
    expect(told()).toBeUndefined();
  });
});

describe('SH3: it is a policy of cockatiel', () => {
  test('around theirs and inside of theirs', async () => {
    const { breaker } = make();
    const inside = wrap(retry(handleAll, { maxAttempts: 5 }), breaker);
    let made = 0;
    const failing = () => Promise.reject((made++, busy));
    await expect(inside.execute(failing)).rejects.toMatchObject({
      code: 'SAGE_RECOVERY_BREAKER_OPEN',
      outcome: 'denied',
      status: 503,
      retryAfterMs: 500,
    });
    expect(made).toBe(4);
    const around = wrap(make().breaker, timeout(1_000, TimeoutStrategy.Cooperative));
    expect(await around.execute(({ signal }) => signal.aborted)).toBe(false);
  });

  test('tells how calls ended', async () => {
    const { breaker } = make();
    const told: unknown[] = [];
    breaker.onSuccess(() => void told.push('ok'));
    breaker.onFailure(({ handled }) => void told.push(handled));
    await breaker.execute(() => 1);
    await breaker.execute(() => Promise.reject(busy)).catch(() => {});
    await breaker.execute(() => Promise.reject(wrongKey)).catch(() => {});
    expect(told).toEqual(['ok', true, false]);
  });

  test("the caller's own reason to leave does not count", async () => {
    const { breaker } = make({ isFailure: () => true });
    const signal = AbortSignal.abort(new Error('enough'));
    await breaker.execute(() => Promise.reject(signal.reason as Error), signal).catch(() => {});
    expect(breaker.snapshot().failures).toBe(0);
  });
});
