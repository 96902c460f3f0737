import { afterEach, describe, expect, test } from '@jest/globals';
import { current, type HealthCheck, run, sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { type CheckSpec, createHealth, type Health } from '../src/index.ts';

const opened: Health[] = [];
afterEach(() => Promise.all(opened.splice(0).map((health) => health.close())));

function start(checks: readonly CheckSpec[], more = {}): { health: Health; clock: ReturnType<typeof createFakeClock> } {
  const clock = createFakeClock();
  const health = createHealth({ checks, clock, intervalMs: 1_000, timeoutMs: 100, random: () => 0.5, ...more });
  opened.push(health);
  return { health, clock };
}

const passing = (name: string): HealthCheck => ({ name, check: async () => {} });

/** A check that says what it is told to, and counts. */
function told(name: string, critical = true) {
  const state = { runs: 0, error: undefined as Error | undefined };
  const check: HealthCheck = {
    name,
    critical,
    async check() {
      state.runs++;
      if (state.error) throw state.error;
    },
  };
  return { state, check };
}

describe('liveness', () => {
  test('OH1: passes while the process runs, and runs no check', async () => {
    const { state, check } = told('storage');
    state.error = new Error('down');
    const { health, clock } = start([check]);
    await clock.advanceAsync(50);
    const runs = state.runs;
    for (let probe = 0; probe < 100; probe++) expect(health.live().status).toBe('pass');
    expect(state.runs).toBe(runs);
  });
});

describe('startup', () => {
  test('OH3: fails until initialisation is complete', () => {
    const { health } = start([]);
    expect(health.startup()).toMatchObject({ status: 'fail', reason: 'starting' });
    health.markStarted();
    expect(health.startup().status).toBe('pass');
  });
});

describe('readiness', () => {
  test('OH2: fails until each critical check has passed once', async () => {
    const { health, clock } = start([passing('llm')]);
    health.markStarted();
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'llm: not checked yet' });
    await clock.advanceAsync(0);
    expect(health.ready()).toMatchObject({ status: 'pass', checks: [{ name: 'llm', status: 'pass', critical: true }] });
  });

  test('OH2: one odd run of a critical check warns, three in a row take it down, one pass brings it back', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([check]);
    health.markStarted();
    await clock.advanceAsync(0);
    state.error = new Error('refused');
    expect(health.ready().status).toBe('pass');
    await clock.advanceAsync(1_000);
    expect(health.ready()).toMatchObject({ status: 'warn', reason: 'storage: failed 1 of 3 times' });
    await clock.advanceAsync(2_000);
    expect(health.ready()).toMatchObject({
      status: 'fail',
      reason: 'storage: failing',
      checks: [{ detail: 'refused' }],
    });
    state.error = undefined;
    await clock.advanceAsync(1_000);
    expect(health.ready().status).toBe('pass');
  });

  test('OH2: a check says itself how it is watched', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([{ ...check, failureThreshold: 1, successThreshold: 2, intervalMs: 500 }]);
    health.markStarted();
    await clock.advanceAsync(0);
    state.error = new Error('refused');
    await clock.advanceAsync(500);
    expect(health.ready().status).toBe('fail');
    state.error = undefined;
    await clock.advanceAsync(500);
    expect(health.ready().status).toBe('fail');
    await clock.advanceAsync(500);
    expect(health.ready().status).toBe('pass');
  });

  test('a failing check whose work something else can do only degrades, as long as that can', async () => {
    let canFallBack = true;
    const { state, check } = told('llm');
    state.error = new Error('down');
    const { health, clock } = start([{ ...check, hasFallback: () => canFallBack }]);
    health.markStarted();
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'llm: not checked yet' });
    await clock.advanceAsync(0);
    expect(health.ready()).toMatchObject({ status: 'warn', reason: 'llm: failing, a fallback serves' });
    canFallBack = false;
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'llm: failing' });
  });

  test('a result that is too old counts no more', async () => {
    const { health, clock } = start([passing('llm')]);
    health.markStarted();
    await clock.advanceAsync(0);
    await health.close();
    await clock.advanceAsync(2_200);
    expect(health.ready().status).toBe('pass');
    await clock.advanceAsync(1);
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'llm: stale' });
  });

  test('OM1: who asks is told of each result and change, and changes of readiness are counted', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([{ ...check, failureThreshold: 1 }]);
    const seen: string[] = [];
    const subscription = health.onChange(() => seen.push(health.ready().status));
    health.markStarted();
    await clock.advanceAsync(0);
    state.error = new Error('down');
    await clock.advanceAsync(1_000);
    health.setDraining();
    subscription[Symbol.dispose]();
    await clock.advanceAsync(1_000);
    expect(seen).toEqual(['fail', 'pass', 'fail', 'fail']);
    const counters = sources().find(({ name }) => name === 'health');
    expect(counters?.read()).toEqual({ readiness_changes: 2 });
  });

  test('a check that is not critical, or that warns, only degrades', async () => {
    const { state, check } = told('cache', false);
    state.error = new Error('down');
    const { health, clock } = start([check, { name: 'llm', check: async () => ({ status: 'warn', detail: 'slow' }) }]);
    health.markStarted();
    await clock.advanceAsync(0);
    expect(health.ready()).toMatchObject({
      status: 'warn',
      checks: [{ status: 'fail' }, { status: 'warn', detail: 'slow' }],
    });
  });

  test('fails before the start and while draining, whatever the checks say', async () => {
    const { health, clock } = start([passing('llm')]);
    await clock.advanceAsync(0);
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'starting' });
    health.markStarted();
    health.setDraining();
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'draining' });
    expect(health.live().status).toBe('pass');
  });

  test('a thousand probes cause one run of a check per interval', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([check]);
    for (let probe = 0; probe < 1_000; probe++) {
      health.ready();
      await clock.advanceAsync(2.5);
    }
    expect(state.runs).toBe(3);
  });
});

describe('a check that hangs', () => {
  test('fails at its timeout, its signal aborted, and is not started beside itself', async () => {
    let runs = 0;
    let aborted = 0;
    let release = (): void => {};
    const hanging: HealthCheck = {
      name: 'db',
      check(signal) {
        runs++;
        signal.addEventListener('abort', () => aborted++);
        return new Promise((resolve) => (release = () => resolve()));
      },
    };
    const { health, clock } = start([hanging]);
    health.markStarted();
    await clock.advanceAsync(200);
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'db: failing' });
    expect(aborted).toBe(1);
    await clock.advanceAsync(3_000);
    expect(runs).toBe(1);
    release();
    await clock.advanceAsync(2_500);
    expect(runs).toBeGreaterThan(1);
  });
});

describe('what is odd', () => {
  const noText = Object.create(null) as unknown;
  const odd: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ['a detail that is a number', async () => ({ status: 'warn', detail: 42 }), '42'],
    ['a detail that is no text', async () => ({ status: 'warn', detail: noText }), 'something that is no text'],
    [
      'a message that is no text',
      () => Promise.reject(Object.assign(new Error(), { message: { code: 1 } })),
      '[object Object]',
    ],
    ['something thrown that is no text', () => Promise.reject(noText), 'something that is no text'],
    [
      'a result that throws when it is read',
      async () => ({
        status: 'pass',
        get detail() {
          throw new Error('no');
        },
      }),
      'no',
    ],
  ];

  test.each(odd)('%s is told as a text, and the check goes on', async (_, said, detail) => {
    let runs = 0;
    const check = (): Promise<never> => {
      runs++;
      return said() as Promise<never>;
    };
    const { health, clock } = start([{ name: 'odd', check }]);
    await clock.advanceAsync(0);
    expect(health.ready().checks).toMatchObject([{ name: 'odd', detail }]);
    await clock.advanceAsync(1_000);
    expect(runs).toBe(2);
  });

  test('a listener that throws is told of, and neither the others nor the checks stop', async () => {
    using recorded = recordOperations();
    const { state, check } = told('storage');
    const { health, clock } = start([check]);
    await clock.advanceAsync(0);
    let heard = 0;
    health.onChange(() => {
      throw new Error('listener: password=hunter2');
    });
    health.onChange(() => heard++);
    await clock.advanceAsync(1_000);
    health.setDraining();
    expect([state.runs, heard]).toEqual([2, 2]);
    expect(recorded.emitted('error.critical')).toEqual(
      Array.from({ length: 2 }, () => ({
        source: 'health',
        reason: 'listener',
        message: 'A listener of the health threw: listener: password=***',
      })),
    );
  });
});

describe('checks', () => {
  test('that are refreshed by several at once run once, and that is one result', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([check]);
    health.markStarted();
    await clock.advanceAsync(0);
    state.error = new Error('one hiccup');
    await Promise.all([health.refresh(), health.refresh(), health.refresh()]);
    expect(state.runs).toBe(2);
    expect(health.ready()).toMatchObject({ status: 'warn', reason: 'storage: failed 1 of 3 times' });
  });

  test('of a health that could not be made do not run on', async () => {
    const { state, check } = told('storage');
    const clock = createFakeClock();
    const before = sources().length;
    expect(() => createHealth({ checks: [check, check], clock })).toThrow('storage');
    await clock.advanceAsync(60_000);
    expect(state.runs).toBe(1);
    expect(clock.pending).toBe(0);
    expect(sources()).toHaveLength(before);
  });

  test('can come and go', async () => {
    const { health, clock } = start([]);
    health.markStarted();
    const { state, check } = told('late');
    state.error = new Error('down');
    const registration = health.register(check);
    await clock.advanceAsync(0);
    expect(health.ready().status).toBe('fail');
    expect(() => health.register(check)).toThrow('late');
    registration[Symbol.dispose]();
    expect(health.ready().status).toBe('pass');
    const runs = state.runs;
    await clock.advanceAsync(5_000);
    expect(state.runs).toBe(runs);
  });

  test('run on demand, and stop when it is closed', async () => {
    const { state, check } = told('storage');
    const { health, clock } = start([check]);
    await clock.advanceAsync(0);
    await health.refresh();
    expect(state.runs).toBe(2);
    await health.close();
    await clock.advanceAsync(10_000);
    await health.refresh();
    expect(() => health.register(passing('late'))).toThrow(expect.objectContaining({ code: 'SAGE_HEALTH_CLOSED' }));
    expect(state.runs).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test('that fail or hang are operations that say so', async () => {
    using recorded = recordOperations();
    const { clock } = start([
      { name: 'throws', check: () => Promise.reject(new Error('down')) },
      { name: 'says', check: async () => ({ status: 'fail' }) },
      { name: 'hangs', check: () => new Promise(() => {}) },
      { name: 'warns', check: async () => ({ status: 'warn' }) },
    ]);
    await clock.advanceAsync(200);
    const seen = recorded
      .named('health.check')
      .map(({ start: { check }, outcome, attributes }) => `${check}: ${outcome}, ${attributes.status}`);
    expect(seen).toEqual(['throws: error, fail', 'says: error, fail', 'warns: ok, warn', 'hangs: timeout, fail']);
  });

  test('owe nothing to the request that registered or refreshed them', async () => {
    const seen: unknown[] = [];
    const over = AbortSignal.abort();
    const check: HealthCheck = {
      name: 'storage',
      async check() {
        seen.push(current()?.requestId);
      },
    };
    const { health, clock } = start([]);
    health.markStarted();
    await run({ requestId: 'r-1', signal: over, deadlineMs: clock.monotonicMs() + 5 }, async () => {
      health.register(check);
      await health.refresh();
    });
    await clock.advanceAsync(3_000);
    expect(health.ready().status).toBe('pass');
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  test('that run while the health is closed are aborted and leave the verdict as it was', async () => {
    let reason: unknown;
    const { health, clock } = start([
      {
        name: 'db',
        check: (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject((reason = signal.reason)));
          }),
      },
    ]);
    await clock.advanceAsync(10);
    await health.close();
    await clock.advanceAsync(10);
    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(health.ready().checks[0]).toMatchObject({ checkedAtMs: undefined });
    expect(clock.pending).toBe(0);
  });

  test('OM1: are operations, and the verdict is a counter of the source', async () => {
    const recorded = recordOperations();
    const { health, clock } = start([passing('llm')]);
    await clock.advanceAsync(0);
    recorded[Symbol.dispose]();
    expect(recorded.operations[0]).toMatchObject({
      name: 'health.check',
      start: { check: 'llm', critical: true },
      attributes: { status: 'pass' },
    });
    const read = () =>
      sources()
        .find(({ name }) => name === 'health.probes')
        ?.read();
    expect(read()).toEqual({ live: 1, startup: 0, ready: 0 });
    health.markStarted();
    expect(read()).toEqual({ live: 1, startup: 1, ready: 1 });
  });
});

test.each([
  [{ intervalMs: 99 }, 'intervalMs'],
  [{ timeoutMs: 0 }, 'timeoutMs'],
  [{ failureThreshold: 0 }, 'failureThreshold'],
  [{ successThreshold: 1.5 }, 'successThreshold'],
  [{ intervalMs: 1_000, staleAfterMs: 2_000 }, 'staleAfterMs'],
])('a bad option is named: %j', (options, name) => {
  expect(() => createHealth(options)).toThrow(name);
});
