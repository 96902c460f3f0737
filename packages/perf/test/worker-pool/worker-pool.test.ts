import { describe, expect, test } from '@jest/globals';
import { current, run, sources } from '@sage-adk/core';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { createWorkerPool } from '../../src/index.ts';

/** A task that runs until it is told to end. */
function gate<T>(value: T) {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let started = false;
  return {
    get started() {
      return started;
    },
    task: () => {
      started = true;
      return promise;
    },
    open: () => resolve(value),
    fail: reject,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

describe('a worker pool', () => {
  test('PF9: runs as many at once as it may, the rest in turn', async () => {
    const pool = createWorkerPool({ concurrency: 2 });
    const gates = ['a', 'b', 'c'].map(gate);
    const results = gates.map(({ task }) => pool.run(task));
    await turn();
    expect(gates.map(({ started }) => started)).toEqual([true, true, false]);
    gates[1]?.open();
    await turn();
    expect(gates[2]?.started).toBe(true);
    gates[0]?.open();
    gates[2]?.open();
    await expect(Promise.all(results)).resolves.toEqual(['a', 'b', 'c']);
    expect(pool.stats()).toEqual({ running: 0, waiting: 0, completed: 3, refused: 0 });
  });

  test('PF9: refuses one more than may wait, with a wait from the rate of the tasks', async () => {
    const clock = createFakeClock();
    const pool = createWorkerPool({ concurrency: 1, queueSize: 2, clock });
    const timed = gate(0);
    const measured = pool.run(timed.task);
    clock.advance(400);
    timed.open();
    await measured;
    const gates = [1, 2, 3].map(gate);
    const accepted = gates.map(({ task }) => pool.run(task));
    expect(await caught(pool.run(async () => 4))).toMatchObject({
      code: 'SAGE_PERF_QUEUE_FULL',
      status: 503,
      outcome: 'denied',
      retryAfterMs: 1_200,
    });
    gates.forEach(({ open }) => open());
    await Promise.all(accepted);
    expect(pool.stats()).toMatchObject({ completed: 4, refused: 1 });
  });

  test('refuses one more of a tenant than may wait of it, and still takes those of others', async () => {
    const pool = createWorkerPool({ concurrency: 1, queueSize: 10, queueSizePerTenant: 1 });
    const busy = gate(0);
    const running = pool.run(busy.task);
    const first = pool.run(async () => 1, { tenant: 'a' });
    const other = pool.run(async () => 3, { tenant: 'b' });
    expect(await caught(pool.run(async () => 2, { tenant: 'a' }))).toMatchObject({
      code: 'SAGE_PERF_TENANT_QUEUE_FULL',
      details: { waiting: 1 },
    });
    busy.open();
    await expect(Promise.all([running, first, other])).resolves.toEqual([0, 1, 3]);
  });

  test('the name of a tenant may be any text', async () => {
    const pool = createWorkerPool({ concurrency: 1, weights: { gold: 4 } });
    const tenants = ['', 'constructor', 'toString', '__proto__', 'gold'];
    const tasks = tenants.map((tenant) => pool.run(async () => tenant, { tenant }));
    await expect(Promise.all(tasks)).resolves.toEqual(tenants);
  });

  test('without a queue refuses at once', async () => {
    const pool = createWorkerPool({ concurrency: 1, queueSize: 0 });
    const busy = gate(0);
    const running = pool.run(busy.task);
    expect(await caught(pool.run(async () => 1))).toMatchObject({ code: 'SAGE_PERF_QUEUE_FULL' });
    busy.open();
    await running;
  });

  test('a flood of one tenant does not hold up another', async () => {
    const pool = createWorkerPool({ concurrency: 1 });
    const order: string[] = [];
    const tasks = [...Array.from({ length: 20 }, () => 'flood'), 'other'].map((tenant) =>
      pool.run(async () => void order.push(tenant), { tenant }),
    );
    await Promise.all(tasks);
    expect(order.indexOf('other')).toBeLessThanOrEqual(2);
  });

  test('PF10: a waiting task leaves when its caller does', async () => {
    const pool = createWorkerPool({ concurrency: 1 });
    const busy = gate(0);
    const running = pool.run(busy.task);
    const controller = new AbortController();
    const waiting = caught(run({ signal: controller.signal }, () => pool.run(async () => 1)));
    controller.abort(new Error('left'));
    expect(await waiting).toMatchObject({ message: 'left' });
    expect(pool.stats().waiting).toBe(0);
    busy.open();
    await running;
    expect(await caught(pool.run(async () => 1, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
  });

  test('PF10: a waiting task leaves at its deadline, also while the pool hangs', async () => {
    const clock = createFakeClock();
    const pool = createWorkerPool({ concurrency: 1, clock });
    const busy = gate(0);
    const running = pool.run(busy.task);
    const waiting = caught(run({ deadlineMs: clock.monotonicMs() + 100 }, () => pool.run(async () => 1)));
    await clock.advanceAsync(99);
    expect(pool.stats().waiting).toBe(1);
    await clock.advanceAsync(1);
    expect(await waiting).toMatchObject({ code: 'SAGE_PERF_QUEUE_TIMEOUT', outcome: 'timeout' });
    expect(clock.pending).toBe(0);
    busy.open();
    await running;
  });

  test('a task runs in the context of its call, and its failure is that of the call', async () => {
    const pool = createWorkerPool({ concurrency: 1 });
    const busy = gate(0);
    const running = run({ requestId: 'first' }, () => pool.run(busy.task));
    const second = run({ requestId: 'second' }, () => pool.run(async () => current()?.requestId));
    const failing = caught(pool.run(() => Promise.reject(new Error('task'))));
    busy.open();
    await expect(Promise.all([running, second])).resolves.toEqual([0, 'second']);
    expect(await failing).toMatchObject({ message: 'task' });
    expect(pool.stats().running).toBe(0);
  });

  test('OM24: waiting is an operation, and the pool offers its counters', async () => {
    const recorded = recordOperations();
    const pool = createWorkerPool({ name: 'work', concurrency: 1 });
    expect(
      sources()
        .find((one) => one.name === 'pool.work')
        ?.read(),
    ).toEqual({ running: 0, waiting: 0, completed: 0, refused: 0 });
    await Promise.all([pool.run(async () => 1), pool.run(async () => 2)]);
    recorded[Symbol.dispose]();
    expect(recorded.operations.map(({ name, start, attributes }) => ({ name, start, attributes }))).toEqual([
      { name: 'queue.wait', start: { queue: 'work' }, attributes: { depth: 0, priority: 1 } },
    ]);
    await pool.close();
    expect(sources().some((one) => one.name === 'pool.work')).toBe(false);
  });

  test('closing takes no more tasks and waits for those it has', async () => {
    const pool = createWorkerPool({ concurrency: 1 });
    const busy = gate(0);
    const tasks = [pool.run(busy.task), pool.run(async () => 1)];
    let closed = false;
    const closing = pool.close().then(() => void (closed = true));
    expect(await caught(pool.run(async () => 2))).toMatchObject({ code: 'SAGE_PERF_POOL_CLOSED' });
    await turn();
    expect(closed).toBe(false);
    busy.open();
    await Promise.all([...tasks, closing]);
    await expect(createWorkerPool().close()).resolves.toBeUndefined();
  });

  test('never runs more than it may and loses no task, whatever comes', async () => {
    const plan = fc.array(
      fc.record({ turns: fc.nat(3), fails: fc.boolean(), tenant: fc.constantFrom('a', 'b'), aborts: fc.boolean() }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 10 }),
        async (tasks, concurrency, queueSize) => {
          const pool = createWorkerPool({ concurrency, queueSize });
          let running = 0;
          let most = 0;
          let started = 0;
          const settled = tasks.map(({ turns, fails, tenant, aborts }) => {
            const controller = new AbortController();
            const result = caught(
              pool.run(
                async () => {
                  started++;
                  most = Math.max(most, ++running);
                  for (let left = turns; left > 0; left--) await turn();
                  running--;
                  if (fails) throw new Error('task');
                  return 'done';
                },
                { tenant, signal: controller.signal },
              ),
            );
            if (aborts) controller.abort();
            return result;
          });
          const outcomes = await Promise.all(settled);
          await pool.close();
          expect(most).toBeLessThanOrEqual(concurrency);
          expect(outcomes).toHaveLength(tasks.length);
          expect(pool.stats()).toMatchObject({ running: 0, waiting: 0, completed: started });
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([
    [{ concurrency: 0 }, 'concurrency'],
    [{ queueSize: -1 }, 'queueSize'],
    [{ queueSizePerTenant: 0.5 }, 'queueSizePerTenant'],
    [{ weights: { silver: 1, gold: 0 } }, 'weights of gold'],
    [{ weights: { gold: Number.NaN } }, 'weights of gold'],
  ])('a bad option is named: %j', (options, name) => {
    expect(() => createWorkerPool(options)).toThrow(name);
  });
});
