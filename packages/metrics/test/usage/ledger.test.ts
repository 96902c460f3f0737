import { afterEach, describe, expect, test } from '@jest/globals';
import { begin, type Context, defineErrors, observerFailures, operate, run, sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import fc from 'fast-check';
import {
  createMemoryUsage,
  createUsageLedger,
  type UsageLedger,
  type UsageLedgerOptions,
  type UsageStore,
} from '../../src/usage/index.ts';
import { readAll } from './support.ts';

const startMs = Date.parse('2026-11-28T23:59:00Z');
const open: UsageLedger[] = [];
const create = (options: UsageLedgerOptions): UsageLedger => {
  const ledger = createUsageLedger(options);
  open.push(ledger);
  return ledger;
};
afterEach(() => Promise.allSettled(open.splice(0).map((ledger) => ledger.close())));

const ann: Context = {
  tenant: 'acme',
  userId: 'ann',
  agentId: 'weather',
  sessionId: 's1',
  principal: { kind: 'jwt', id: 'ann' },
};
const call = { provider: 'openai', model: 'gpt-x', api: 'chat', stream: false } as const;
const request = { protocol: 'a2a', method: 'SendMessage', stream: false } as const;
/** Lets promises that are ready run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store that can be out of order, and then either did or did not take what came. */
function flaky(store: UsageStore): UsageStore & { mode: 'well' | 'lost' | 'answer lost' } {
  const subject = {
    ...store,
    mode: 'well' as 'well' | 'lost' | 'answer lost',
    async add(batch: Parameters<UsageStore['add']>[0]) {
      if (subject.mode !== 'lost') await store.add(batch);
      if (subject.mode !== 'well') throw new Error('away');
    },
  };
  return subject;
}

const storeErrors = defineErrors('USAGE_TEST', {
  REFUSED: { category: 'permanent', status: 500, message: 'No room.' },
});

/** A store that refuses batches with certain rows for good, as a whole. */
function refusing(store: UsageStore, refuses: (user: string) => boolean): UsageStore {
  return {
    ...store,
    async add(batch) {
      if (batch.rows.some(({ user }) => refuses(user))) throw storeErrors.REFUSED();
      await store.add(batch);
    },
  };
}

const counters = () =>
  sources()
    .find(({ name }) => name === 'usage.ledger')
    ?.read();

describe('the usage ledger', () => {
  test('OC3: calls and messages are booked to tenant, user, agent, session, model and day', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const store = createMemoryUsage();
    const ledger = create({ store, clock });
    run(ann, () => {
      operate('agent.request', request, () => {
        operate('llm.call', call, (operation) =>
          operation.set({
            inputTokens: 100,
            outputTokens: 20,
            cachedInputTokens: 60,
            reasoningTokens: 7,
            costNanoUsd: 1_500n,
          }),
        );
      });
    });
    clock.advance(120_000);
    run(ann, () => operate('llm.call', call, (operation) => operation.set({ inputTokens: 1, costNanoUsd: 10n })));
    await ledger.flush();
    const rows = await readAll(store);
    const who = { tenant: 'acme', user: 'ann', agent: 'weather' };
    expect(rows).toMatchObject([
      {
        day: '2026-11-28',
        ...who,
        session: '',
        model: 'gpt-x',
        calls: 1,
        inputTokens: 100,
        outputTokens: 20,
        costNanoUsd: 1_500n,
      },
      { day: '2026-11-28', ...who, session: 's1', model: '', messages: 1, calls: 0 },
      { day: '2026-11-29', ...who, session: '', model: 'gpt-x', calls: 1, costNanoUsd: 10n },
      { day: '2026-11-29', ...who, session: 's1', model: '', messages: 0 },
    ]);
    expect(rows[0]).toMatchObject({ cachedInputTokens: 60, reasoningTokens: 7, unknownCostCalls: 0 });
    expect(observerFailures()).toBe(0);
  });

  test('OC3: a cost that is not known is counted as unknown, and a failure before any token has none', async () => {
    const store = createMemoryUsage();
    const ledger = create({ store });
    operate('llm.call', call, (operation) => operation.set({ inputTokens: 1 }));
    const broken = begin('llm.call', call);
    broken.fail(new Error('no'));
    await ledger.flush();
    expect(await readAll(store)).toMatchObject([{ calls: 2, failedCalls: 1, unknownCostCalls: 1, costNanoUsd: 0n }]);
  });

  test('an address is no user', async () => {
    const store = createMemoryUsage();
    const ledger = create({ store });
    const principal = { kind: 'address', id: '192.0.2.1' } as const;
    run({ userId: '192.0.2.1', principal }, () => operate('agent.request', request, () => {}));
    await ledger.flush();
    expect(await readAll(store)).toMatchObject([{ user: '', messages: 1 }]);
  });

  test('usage is written every so often, and nothing is lost at the close', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const store = createMemoryUsage();
    const ledger = create({ store, clock, flushEveryMs: 1_000 });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    clock.advance(999);
    await settle();
    expect(await readAll(store)).toEqual([]);
    clock.advance(1);
    await settle();
    expect(await readAll(store)).toMatchObject([{ calls: 1 }]);
    ledger.add({ user: 'ann', model: 'm' }, { calls: 2 });
    await ledger.close();
    expect(await readAll(store)).toMatchObject([{ calls: 3 }]);
    operate('llm.call', call, () => {});
    expect(ledger.pending).toBe(0);
  });

  test('a batch is written again as it was: none is lost, and none is counted twice', async () => {
    const memory = createMemoryUsage();
    const store = flaky(memory);
    const ledger = create({ store });
    for (const mode of ['answer lost', 'lost', 'answer lost', 'well'] as const) {
      store.mode = mode;
      ledger.add({ user: 'ann', model: 'm' }, { calls: 1, costNanoUsd: 5n });
      await ledger.flush().catch(() => {});
    }
    expect(await readAll(memory)).toMatchObject([{ calls: 4, costNanoUsd: 20n }]);
  });

  test('whatever fails in between, at the end every count is there once', async () => {
    const step = fc.oneof(
      fc.record({ user: fc.constantFrom('a', 'b', 'c'), calls: fc.integer({ min: 1, max: 5 }) }),
      fc.constantFrom('flush', 'well', 'lost', 'answer lost'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step), fc.integer({ min: 1, max: 4 }), async (steps, maxRows) => {
        const memory = createMemoryUsage();
        const store = flaky(memory);
        const ledger = createUsageLedger({ store, maxRows });
        let total = 0;
        for (const next of steps) {
          if (next === 'flush') await ledger.flush().catch(() => {});
          else if (typeof next === 'string') store.mode = next;
          else {
            ledger.add({ user: next.user, model: 'm' }, { calls: next.calls });
            total += next.calls;
          }
        }
        store.mode = 'well';
        await ledger.close();
        expect((await readAll(memory)).reduce((sum, { calls }) => sum + calls, 0)).toBe(total);
      }),
    );
  });

  test('while the store is away memory is bounded, and the sums stay right', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const memory = createMemoryUsage();
    const store = flaky(memory);
    store.mode = 'lost';
    const ledger = create({ store, clock, maxRows: 100 });
    for (let i = 0; i < 5_000; i++) {
      ledger.add({ user: `u${i}`, model: 'm' }, { calls: 1 });
      if (i % 500 === 0) await ledger.flush().catch(() => {});
    }
    expect(ledger.pending).toBeLessThanOrEqual(2 * (100 + 2));
    expect(counters()?.['folded']).toBeGreaterThan(4_000);
    store.mode = 'well';
    await ledger.close();
    expect((await readAll(memory)).reduce((sum, { calls }) => sum + calls, 0)).toBe(5_000);
  });

  test('half of the rows that fit are written at once', async () => {
    const store = createMemoryUsage();
    const ledger = create({ store, maxRows: 10, clock: createFakeClock({ nowMs: startMs }) });
    for (let i = 0; i < 6; i++) ledger.add({ user: `u${i}`, model: 'm' }, { calls: 1 });
    await settle();
    expect(await readAll(store)).toHaveLength(6);
  });

  test('OC3: a number that is no count is none, and the cost of such a call is unknown', async () => {
    const store = createMemoryUsage();
    const ledger = create({ store });
    const odd = [
      { inputTokens: Number.NaN, outputTokens: 0.5, costNanoUsd: 5n },
      { inputTokens: '12', outputTokens: -1, costNanoUsd: 3 },
      { inputTokens: 2 ** 60, outputTokens: 7, costNanoUsd: 2n ** 63n },
      { inputTokens: 4, costNanoUsd: -1n },
    ];
    for (const attributes of odd) operate('llm.call', call, (operation) => operation.set(attributes as object));
    await ledger.flush();
    expect(await readAll(store)).toMatchObject([
      { calls: 4, inputTokens: 4, outputTokens: 7, costNanoUsd: 5n, unknownCostCalls: 3 },
    ]);
    expect(observerFailures()).toBe(0);
  });

  test.each([
    [{ inputTokens: 0.5 }, 'inputTokens'],
    [{ calls: -1 }, 'calls'],
    [{ outputTokens: Number.NaN }, 'outputTokens'],
    [{ messages: '1' as unknown as number }, 'messages'],
    [{ costNanoUsd: 2n ** 63n }, 'costNanoUsd'],
    [{ costNanoUsd: 1 as unknown as bigint }, 'costNanoUsd'],
  ])('OC3: what no store can add is refused where it is added: %p', (counts, option) => {
    const ledger = create({ store: createMemoryUsage() });
    expect(() => ledger.add({ user: 'ann', model: 'm' }, counts)).toThrow(
      expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION', details: expect.objectContaining({ option }) }),
    );
    expect(ledger.pending).toBe(0);
  });

  test('OC3: a row that the store refuses for good is given up, and all others are written', async () => {
    using recorded = recordOperations();
    const memory = createMemoryUsage();
    const ledger = create({ store: refusing(memory, (user) => user === 'u7' || user === 'u8') });
    for (let i = 0; i < 40; i++) ledger.add({ tenant: `t${i}`, user: `u${i}`, model: 'm' }, { calls: 1 });
    await ledger.flush();
    const users = (await readAll(memory)).map(({ user }) => user);
    expect(users).toHaveLength(38);
    expect(new Set(users).size).toBe(38);
    expect(counters()).toMatchObject({ pending: 0, written: 38, refused: 2 });
    expect(recorded.events.filter(({ name }) => name === 'error.critical')).toMatchObject([
      { event: { source: 'usage', reason: 'refused', message: expect.stringContaining('tenant "t7"') } },
      { event: { source: 'usage', reason: 'refused', message: expect.stringContaining('No room.') } },
    ]);
  });

  test('OC3: where the store takes nothing at all, not even a batch without rows, nothing is given up', async () => {
    const memory = createMemoryUsage();
    let isMended = false;
    const store: UsageStore = {
      ...memory,
      add: (batch) => (isMended ? memory.add(batch) : Promise.reject(storeErrors.REFUSED())),
    };
    const ledger = create({ store });
    for (let tries = 0; tries < 3; tries++) {
      ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
      await expect(ledger.flush()).rejects.toMatchObject({ code: 'SAGE_USAGE_TEST_REFUSED' });
    }
    isMended = true;
    await ledger.flush();
    expect(await readAll(memory)).toMatchObject([{ calls: 3 }]);
    expect(counters()).toMatchObject({ refused: 0 });
  });

  test('a close is over in its time, though the store hangs', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const store: UsageStore = { ...createMemoryUsage(), add: () => new Promise(() => {}) };
    const ledger = createUsageLedger({ store, closeWithinMs: 300, clock });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    const closed = expect(ledger.close()).rejects.toMatchObject({
      code: 'SAGE_USAGE_NOT_WRITTEN',
      message: 'At the close 1 rows of usage were not written: it did not answer in time. Look at the store memory.',
    });
    await clock.advanceAsync(300);
    await closed;
    expect(clock.pending).toBe(0);
  });

  test('OC3: a write is over at its deadline, though the store hangs, and what it held is written when the store is back', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const memory = createMemoryUsage();
    let hangs = true;
    const store: UsageStore = { ...memory, add: (batch) => (hangs ? new Promise(() => {}) : memory.add(batch)) };
    const ledger = createUsageLedger({ store, flushEveryMs: 1_000, deadlineMs: 200, clock });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    const flushed = expect(ledger.flush()).rejects.toMatchObject({ code: 'SAGE_USAGE_STORE_LATE' });
    await clock.advanceAsync(200);
    await flushed;
    expect(ledger.pending).toBe(1);
    // Those that it starts by itself don't stay behind one that hangs.
    await clock.advanceAsync(1_100);
    hangs = false;
    await clock.advanceAsync(1_100);
    expect(await readAll(memory)).toMatchObject([{ calls: 1 }]);
    await ledger.close();
    expect(clock.pending).toBe(0);
  });

  test('a close is over in its time, though a write before it hangs', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const store: UsageStore = { ...createMemoryUsage(), add: () => new Promise(() => {}) };
    const ledger = createUsageLedger({ store, closeWithinMs: 300, clock });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    const flushed = expect(ledger.flush()).rejects.toThrow('it did not answer in time');
    const closed = expect(ledger.close()).rejects.toMatchObject({ code: 'SAGE_USAGE_NOT_WRITTEN' });
    await clock.advanceAsync(300);
    await Promise.all([flushed, closed]);
    expect(clock.pending).toBe(0);
  });

  test('a ledger that was closed while it wrote writes no more by itself', async () => {
    const clock = createFakeClock({ nowMs: startMs });
    const memory = createMemoryUsage();
    const answers: (() => void)[] = [];
    const store: UsageStore = {
      ...memory,
      add: (batch) => new Promise<void>((resolve) => answers.push(resolve)).then(() => memory.add(batch)),
    };
    const ledger = createUsageLedger({ store, flushEveryMs: 10, clock });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    await clock.advanceAsync(10);
    const closed = ledger.close();
    await clock.advanceAsync(10);
    answers.forEach((answer) => answer());
    await closed;
    await settle();
    expect(clock.pending).toBe(0);
  });

  test('a close that cannot write says how much is lost', async () => {
    const store = flaky(createMemoryUsage());
    store.mode = 'lost';
    const ledger = createUsageLedger({ store, closeWithinMs: 0 });
    ledger.add({ user: 'ann', model: 'm' }, { calls: 1 });
    await expect(ledger.close()).rejects.toMatchObject({
      code: 'SAGE_USAGE_NOT_WRITTEN',
      message: 'At the close 1 rows of usage were not written: away. Look at the store memory.',
    });
  });

  test('long and odd texts are made storable, and stay apart', async () => {
    const store = createMemoryUsage();
    const ledger = create({ store });
    for (const end of ['x', 'y']) ledger.add({ user: `${'a'.repeat(5_000)}${end}`, model: 'm' }, { calls: 1 });
    ledger.add({ user: 'nul\0 and half \uD800', model: 'm' }, { calls: 1 });
    await ledger.flush();
    const users = (await readAll(store)).map(({ user }) => user);
    expect(new Set(users).size).toBe(3);
    for (const user of users) expect(user.length).toBeLessThanOrEqual(200);
    expect(users.some((user) => user === 'nul\uFFFD and half \uFFFD')).toBe(true);
  });
});
