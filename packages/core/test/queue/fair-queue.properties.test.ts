import { strict as assert } from 'node:assert';
import { describe, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createFairQueue, type Priority, type Ticket } from '../../src/queue/index.ts';
import { createFakeClock } from '../../src/testing/index.ts';
import { ModelQueue } from './model-queue.ts';

const priority = fc.constantFrom<Priority>(0, 1, 2, 3);

const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      tenant: fc.constantFrom('a', 'b', 'c', 'd'),
      priority,
      // Powers of two, so that the model's tags and the queue's are the same numbers in whatever order they are added.
      cost: fc.constantFrom(0.5, 1, 2, 8, 64),
      livesMs: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
      signal: fc.boolean(),
    }),
  },
  { weight: 20, arbitrary: fc.constant({ kind: 'shift' as const }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'peek' as const }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 15, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 120 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
);

const weights: Readonly<Record<string, number>> = { a: 1, b: 1, c: 2, d: 4 };

describe('against a reference model', () => {
  test("every answer is the model's, bounds hold, and each entry that was taken leaves exactly once", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, maxSize, maxPerTenant) => {
          const bounds = { maxSize, maxPerTenant, ageingMs: 64 };
          const clock = createFakeClock();
          const left: { id: number; how: string }[] = [];
          const queue = createFairQueue<number>({
            ...bounds,
            clock,
            weightOf: (tenant) => weights[tenant] ?? 1,
            onDropped: (id, how) => void left.push({ id, how }),
          });
          const model = new ModelQueue(bounds);
          const tickets: { readonly id: number; cancel(): boolean }[] = [];
          let id = 0;

          for (const action of steps) {
            const nowMs = clock.monotonicMs();
            if (action.kind === 'push') {
              const { tenant, cost, livesMs = Number.POSITIVE_INFINITY } = action;
              const entry = {
                id,
                tenant,
                priority: action.priority,
                cost,
                pushedMs: nowMs,
                deadlineMs: nowMs + livesMs,
              };
              const controller = new AbortController();
              const ticket = queue.push(id, { ...entry, signal: action.signal ? controller.signal : undefined });
              assert.equal(
                ticket.accepted ? 'accepted' : ticket.reason,
                model.push(entry, weights[tenant] ?? 1, nowMs),
              );
              if (ticket.accepted) {
                tickets.push(action.signal ? byAbort(id, controller, ticket) : { id, cancel: () => ticket.cancel() });
              }
              id++;
            } else if (action.kind === 'shift') {
              const shifted = queue.shift();
              if (shifted !== undefined) left.push({ id: shifted, how: 'shifted' });
              assert.equal(shifted, model.shift(nowMs));
            } else if (action.kind === 'peek') {
              assert.equal(queue.peek(), model.peek(nowMs));
            } else if (action.kind === 'cancel') {
              const ticket = tickets[action.pick % Math.max(1, tickets.length)];
              if (ticket !== undefined) assert.equal(ticket.cancel(), model.cancel(ticket.id));
            } else if (action.kind === 'wait') {
              clock.advance(action.ms);
            } else {
              queue.clear();
              model.clear();
            }
            assert.equal(queue.size, model.size);
            assert.ok(queue.size <= maxSize);
            for (const tenant of Object.keys(weights)) {
              assert.equal(queue.sizeOf(tenant), model.sizeOf(tenant));
              assert.ok(queue.sizeOf(tenant) <= maxPerTenant);
            }
          }
          queue.clear();
          model.clear();
          assert.deepEqual(sorted(left), sorted(model.left));
          assert.deepEqual(
            left.map((each) => each.id).sort((a, b) => a - b),
            tickets.map((each) => each.id),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('shares under backlog', () => {
  const tenant = fc.record({
    weight: fc.integer({ min: 1, max: 20 }),
    costs: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 60, maxLength: 60 }),
  });
  const tenants = fc.array(tenant, { minLength: 2, maxLength: 8 });

  test('no tenant falls more than one of its own entries behind its weighted share, nor gets ahead by more than its share of one entry of each', () => {
    fc.assert(
      fc.property(tenants, (all) => {
        const totalWeight = all.reduce((sum, { weight }) => sum + weight, 0);
        const slack = all.reduce((sum, { costs }) => sum + Math.max(...costs), 0);
        let total = 0;
        serveAll(all, (served, backlogged) => {
          total = served.reduce((sum, cost) => sum + cost, 0);
          if (!backlogged) return;
          all.forEach(({ weight, costs }, index) => {
            const ahead = (served[index] ?? 0) - (total * weight) / totalWeight;
            assert.ok(ahead >= -Math.max(...costs) - 1e-6);
            assert.ok(ahead <= (slack * weight) / totalWeight + 1e-6);
          });
        });
        assert.equal(
          total,
          all.reduce((sum, { costs }) => sum + costs.reduce((a, b) => a + b, 0), 0),
        );
      }),
    );
  });

  test('tenants of equal weight and equal cost are within one entry of the ideal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 1_000 }), (count, cost) => {
        const all = Array.from({ length: count }, () => ({ weight: 1, costs: Array.from({ length: 20 }, () => cost) }));
        serveAll(all, (served) => {
          const ideal = served.reduce((sum, each) => sum + each, 0) / count;
          for (const each of served) assert.ok(Math.abs(each - ideal) <= cost);
        });
      }),
    );
  });

  test('over any time in which two tenants both wait, they are served equally by weight but for one entry of each, whoever else comes and goes', () => {
    const arrival = fc.record({ tenant: fc.nat(4), cost: fc.integer({ min: 1, max: 100 }) });
    const trace = fc.array(
      fc.oneof({ weight: 3, arbitrary: arrival }, { weight: 2, arbitrary: fc.constant('serve' as const) }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(
        trace,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 5 }),
        (events, weightList) => {
          const queue = createFairQueue<{ tenant: number; cost: number }>({
            maxSize: 1_000,
            clock: createFakeClock(),
            weightOf: (name) => weightList[Number(name)] ?? 1,
          });
          // For each pair: what each was served since both wait.
          const since = new Map<string, readonly [number, number]>();
          const pairs = [0, 1, 2, 3, 4].flatMap((a) =>
            [0, 1, 2, 3, 4].filter((b) => b > a).map((b) => [a, b] as const),
          );
          for (const event of events) {
            const served = event === 'serve' ? queue.shift() : undefined;
            if (event !== 'serve') queue.push(event, { tenant: String(event.tenant), cost: event.cost });
            for (const [a, b] of pairs) {
              const name = `${a}-${b}`;
              const before = since.get(name);
              if (before !== undefined && served !== undefined) {
                const now = [
                  before[0] + (served.tenant === a ? served.cost : 0),
                  before[1] + (served.tenant === b ? served.cost : 0),
                ] as const;
                const weightA = weightList[a] ?? 1;
                const weightB = weightList[b] ?? 1;
                assert.ok(Math.abs(now[0] / weightA - now[1] / weightB) <= 100 / weightA + 100 / weightB + 1e-6);
                since.set(name, now);
              }
              if (queue.sizeOf(String(a)) === 0 || queue.sizeOf(String(b)) === 0) since.delete(name);
              else if (!since.has(name)) since.set(name, [0, 0]);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('order within a tenant', () => {
  test('entries of one priority keep their order, and none is overtaken beyond what ageing allows', () => {
    const ageingMs = 50;
    const arrival = fc.record({ priority, afterMs: fc.integer({ min: 0, max: 30 }), serve: fc.boolean() });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 100 }), (arrivals) => {
        const clock = createFakeClock();
        const queue = createFairQueue<{ order: number; level: Priority; pushedMs: number }>({ clock, ageingMs });
        const waiting = new Set<{ order: number; level: Priority; pushedMs: number }>();
        const serve = (): void => {
          const item = queue.shift();
          if (item === undefined) return;
          waiting.delete(item);
          for (const other of waiting) {
            if (other.level === item.level) assert.ok(other.order > item.order);
            if (other.order < item.order)
              assert.ok(item.pushedMs - other.pushedMs < (other.level - item.level) * ageingMs);
          }
        };
        arrivals.forEach(({ priority: level, afterMs, serve: alsoServe }, order) => {
          clock.advance(afterMs);
          const item = { order, level, pushedMs: clock.monotonicMs() };
          waiting.add(item);
          queue.push(item, { priority: level });
          if (alsoServe) serve();
        });
        while (queue.size > 0) serve();
      }),
    );
  });
});

interface Backlog {
  readonly weight: number;
  readonly costs: readonly number[];
}

/** Queues everything, then serves it; `check` sees what each was served so far and whether all still wait. */
function serveAll(tenants: readonly Backlog[], check: (served: readonly number[], backlogged: boolean) => void): void {
  const queue = createFairQueue<{ index: number; cost: number }>({
    maxSize: 10_000,
    clock: createFakeClock(),
    weightOf: (name) => tenants[Number(name)]?.weight ?? 1,
  });
  tenants.forEach(({ costs }, index) => {
    for (const cost of costs) queue.push({ index, cost }, { tenant: String(index), cost });
  });
  const served = tenants.map(() => 0);
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    served[item.index] = (served[item.index] ?? 0) + item.cost;
    check(
      served,
      tenants.every((_, index) => queue.sizeOf(String(index)) > 0),
    );
  }
}

function byAbort(id: number, controller: AbortController, ticket: Ticket): { readonly id: number; cancel(): boolean } {
  return {
    id,
    cancel() {
      const { waiting } = ticket;
      controller.abort();
      return waiting;
    },
  };
}

function sorted(left: readonly { readonly id: number; readonly how: string }[]): readonly unknown[] {
  return [...left].sort((a, b) => a.id - b.id);
}
