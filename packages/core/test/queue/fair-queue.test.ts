import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import {
  createFairQueue,
  type DropReason,
  type FairQueueOptions,
  type PushOptions,
  type Ticket,
} from '../../src/queue/index.ts';
import { createFakeClock } from '../../src/testing/index.ts';

function setUp(options: FairQueueOptions<string> = {}) {
  const clock = createFakeClock();
  const dropped: string[] = [];
  const onDropped = (item: string, reason: DropReason): void => void dropped.push(`${item} ${reason}`);
  const queue = createFairQueue<string>({ clock, onDropped, ageingMs: 100, ...options });
  const drain = (): string => {
    const items: string[] = [];
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
    return items.join(' ');
  };
  return { clock, queue, dropped, drain };
}

type Push = readonly [item: string, options?: PushOptions];

const orders: readonly { readonly name: string; readonly pushes: readonly Push[]; readonly order: string }[] = [
  { name: 'one tenant: first come, first served', pushes: [['a'], ['b'], ['c']], order: 'a b c' },
  {
    name: 'one tenant: the more urgent first, equals in their order',
    pushes: [
      ['low', { priority: 3 }],
      ['normal'],
      ['urgent', { priority: 0 }],
      ['normal2'],
      ['urgent2', { priority: 0 }],
    ],
    order: 'urgent urgent2 normal normal2 low',
  },
  {
    name: 'two tenants take turns, however many entries one has',
    pushes: [
      ['a1', { tenant: 'a' }],
      ['a2', { tenant: 'a' }],
      ['a3', { tenant: 'a' }],
      ['b1', { tenant: 'b' }],
      ['b2', { tenant: 'b' }],
    ],
    order: 'a1 b1 a2 b2 a3',
  },
  {
    name: 'twice the weight is twice the turns',
    pushes: [
      ...['1', '2', '3'].map((n): Push => [`a${n}`, { tenant: 'a' }]),
      ...['1', '2', '3', '4', '5'].map((n): Push => [`D${n}`, { tenant: 'double' }]),
    ],
    order: 'D1 a1 D2 D3 a2 D4 D5 a3',
  },
  {
    name: 'a dear entry waits until its cost is earned, and pays for it afterwards',
    pushes: [
      ['dear', { tenant: 'a', cost: 3 }],
      ['next', { tenant: 'a', cost: 1 }],
      ...['1', '2', '3', '4', '5'].map((n): Push => [`b${n}`, { tenant: 'b' }]),
    ],
    order: 'b1 b2 dear b3 next b4 b5',
  },
  {
    name: "priority does not take another tenant's turn",
    pushes: [
      ['a1', { tenant: 'a', priority: 0 }],
      ['a2', { tenant: 'a', priority: 0 }],
      ['b1', { tenant: 'b', priority: 3 }],
      ['b2', { tenant: 'b', priority: 3 }],
    ],
    order: 'a1 b1 a2 b2',
  },
];

describe('order', () => {
  test.each(orders)('$name', ({ pushes, order }) => {
    const { queue, drain } = setUp({ weightOf: (tenant) => (tenant === 'double' ? 2 : 1) });
    for (const [item, options] of pushes) queue.push(item, options);
    expect(drain()).toBe(order);
  });

  test('an entry that waited for one level of ageing stands with fresh ones of the next level, before them', () => {
    const { clock, queue, drain } = setUp();
    queue.push('old', { priority: 2 });
    clock.advance(99);
    queue.push('early', { priority: 1 });
    clock.advance(1);
    queue.push('late', { priority: 1 });
    expect(drain()).toBe('early old late');
  });

  test('an entry of the lowest priority is overtaken for three levels of ageing and no longer', () => {
    const { clock, queue } = setUp();
    queue.push('low', { priority: 3 });
    for (let round = 0; round < 30; round++) {
      queue.push('urgent', { priority: 0 });
      expect(queue.shift()).toBe('urgent');
      clock.advance(10);
    }
    queue.push('urgent', { priority: 0 });
    expect(queue.shift()).toBe('low');
  });

  test('a tenant that was away has saved nothing', () => {
    const { queue, drain } = setUp();
    for (let n = 0; n < 50; n++) queue.push('busy', { tenant: 'busy' });
    for (let n = 0; n < 40; n++) queue.shift();
    for (let n = 0; n < 5; n++) queue.push('back', { tenant: 'back' });
    expect(drain()).toBe('busy back busy back busy back busy back busy back busy busy busy busy busy');
  });

  test('a tenant that always has just one entry waiting gets its share and no more', () => {
    const { queue } = setUp();
    for (let n = 0; n < 400; n++) queue.push('many', { tenant: 'many' });
    const served = { many: 0, single: 0 };
    queue.push('single', { tenant: 'single', cost: 10 });
    for (let n = 0; n < 220; n++) {
      const item = queue.shift() as keyof typeof served;
      served[item]++;
      if (item === 'single') queue.push('single', { tenant: 'single', cost: 10 });
    }
    expect(served).toEqual({ many: 200, single: 20 });
  });

  test('a huge entry that is parked earns no credit for small urgent ones', () => {
    const { queue } = setUp();
    const parked = queue.push('parked', { tenant: 'sly', priority: 3, cost: 1e9 }) as Ticket;
    for (let n = 0; n < 400; n++) queue.push('fair', { tenant: 'fair' });
    for (let n = 0; n < 200; n++) queue.shift();
    for (let n = 0; n < 50; n++) queue.push('sly', { tenant: 'sly', priority: 0 });
    parked.cancel();
    const next = Array.from({ length: 40 }, () => queue.shift());
    expect(next.filter((item) => item === 'sly').length).toBeLessThanOrEqual(21);
  });

  test('new tenants that keep coming do not starve one that waits', () => {
    const { queue } = setUp();
    queue.push('first', { tenant: 'patient' });
    queue.push('second', { tenant: 'patient' });
    queue.shift();
    const order: unknown[] = [];
    for (let n = 0; n < 10; n++) {
      queue.push(`new${n}`, { tenant: `new${n}` });
      order.push(queue.shift());
    }
    expect(order.indexOf('second')).toBeGreaterThanOrEqual(0);
    expect(order.indexOf('second')).toBeLessThanOrEqual(1);
  });

  test('what left unserved is not charged to its tenant', () => {
    const { queue, drain } = setUp();
    for (let n = 0; n < 5; n++) queue.push('a', { tenant: 'a' });
    const tickets = Array.from({ length: 100 }, () => queue.push('b', { tenant: 'b', cost: 100 }) as Ticket);
    for (const ticket of tickets) ticket.cancel();
    for (let n = 0; n < 3; n++) queue.push('b', { tenant: 'b' });
    expect(drain()).toBe('a b a b a b a a');
  });

  test('a changed weight counts from the next push on', () => {
    let weight = 1;
    const { queue } = setUp({ weightOf: (tenant) => (tenant === 'a' ? weight : 1) });
    const fill = (): void => {
      for (const tenant of ['a', 'b']) for (let n = 0; n < 20; n++) queue.push(tenant, { tenant });
    };
    fill();
    weight = 4;
    fill();
    const next = Array.from({ length: 20 }, () => queue.shift());
    expect(next.filter((item) => item === 'a').length).toBeGreaterThanOrEqual(15);
  });

  test('shares stay exact in a queue that never empties, even after costs of very different sizes', () => {
    const { queue } = setUp({ maxSize: 5_000, weightOf: (tenant) => (tenant === 'triple' ? 3 : 1) });
    const push = (tenant: string, cost: number): unknown => queue.push(tenant, { tenant, cost });
    push('single', 3e11);
    push('triple', 9e11);
    for (const tenant of ['single', 'triple']) for (let n = 0; n < 2_000; n++) push(tenant, 0.001);
    queue.shift();
    queue.shift();
    const next = Array.from({ length: 2_000 }, () => queue.shift());
    expect(Math.abs(next.filter((item) => item === 'triple').length - 1_500)).toBeLessThanOrEqual(2);
  });
});

describe('bounds', () => {
  test('a full queue refuses with a result that names the bound', () => {
    const { queue } = setUp({ maxSize: 2 });
    queue.push('a', { tenant: 'x' });
    queue.push('b', { tenant: 'y' });
    expect(queue.push('c', { tenant: 'z' })).toEqual({ accepted: false, reason: 'queue-full', limit: 2 });
    queue.shift();
    expect(queue.push('c', { tenant: 'z' }).accepted).toBe(true);
  });

  test('a full tenant is refused while others are not', () => {
    const { queue } = setUp({ maxSize: 10, maxPerTenant: 2 });
    queue.push('a', { tenant: 'x' });
    queue.push('b', { tenant: 'x' });
    expect(queue.push('c', { tenant: 'x' })).toEqual({ accepted: false, reason: 'tenant-full', limit: 2 });
    expect(queue.push('c', { tenant: 'y' }).accepted).toBe(true);
    expect([queue.size, queue.sizeOf('x'), queue.sizeOf('y'), queue.sizeOf('nobody')]).toEqual([3, 2, 1, 0]);
  });

  test('expired entries make room before anybody is refused', () => {
    const { clock, queue, dropped } = setUp({ maxSize: 2 });
    queue.push('a', { deadlineMs: clock.monotonicMs() + 10 });
    queue.push('b');
    clock.advance(10);
    expect(queue.push('c').accepted).toBe(true);
    expect(dropped).toEqual(['a expired']);
  });

  test.each<readonly [string, FairQueueOptions<string>]>([
    ['maxSize', { maxSize: 0 }],
    ['maxPerTenant', { maxPerTenant: 1.5 }],
    ['ageingMs', { ageingMs: 0 }],
  ])('an invalid option %s is refused by name', (name, options) => {
    expect(() => createFairQueue(options)).toThrow(`The option ${name} is`);
  });

  test.each<readonly [string, PushOptions]>([
    ['cost', { cost: 0 }],
    ['cost', { cost: Number.NaN }],
    ['cost', { cost: Number.POSITIVE_INFINITY }],
    ['priority', { priority: 4 as 3 }],
    ['deadlineMs', { deadlineMs: Number.NaN }],
    ['weightOf', { tenant: 'weightless' }],
  ])('an entry with an invalid %s is refused by name and leaves no trace', (name, options) => {
    const { queue } = setUp({ weightOf: (tenant) => (tenant === 'weightless' ? 0 : 1) });
    expect(() => queue.push('a', options)).toThrow(`The option ${name} is`);
    expect([queue.size, queue.shift()]).toEqual([0, undefined]);
  });
});

describe('leaving', () => {
  test('a ticket takes its entry out once, and says so', () => {
    const { queue, dropped, drain } = setUp();
    queue.push('a');
    const ticket = queue.push('b') as Ticket;
    expect(ticket.waiting).toBe(true);
    expect([ticket.cancel(), ticket.cancel(), ticket.waiting]).toEqual([true, false, false]);
    expect(dropped).toEqual(['b cancelled']);
    expect(drain()).toBe('a');
  });

  test('a ticket of an entry that was served can cancel nothing', () => {
    const { queue, dropped } = setUp();
    const ticket = queue.push('a') as Ticket;
    queue.shift();
    expect([ticket.waiting, ticket.cancel(), dropped]).toEqual([false, false, []]);
  });

  test('an abort takes the entry out at once', () => {
    const { queue, dropped } = setUp();
    const controller = new AbortController();
    queue.push('a', { signal: controller.signal });
    controller.abort();
    expect([queue.size, dropped]).toEqual([0, ['a cancelled']]);
  });

  test('an entry whose signal is aborted or whose deadline passed is not taken', () => {
    const { clock, queue, dropped } = setUp();
    expect(queue.push('a', { signal: AbortSignal.abort() })).toEqual({ accepted: false, reason: 'cancelled' });
    expect(queue.push('b', { deadlineMs: clock.monotonicMs() })).toEqual({ accepted: false, reason: 'expired' });
    expect([queue.size, dropped]).toEqual([0, []]);
  });

  test('an entry leaves at its deadline, not before, and its owner is told by the next shift', () => {
    const { clock, queue, dropped } = setUp();
    queue.push('a', { deadlineMs: clock.monotonicMs() + 10 });
    clock.advance(9);
    expect(queue.peek()).toBe('a');
    clock.advance(1);
    expect([queue.shift(), dropped]).toEqual([undefined, ['a expired']]);
  });

  test('peek names what shift returns, and takes nothing', () => {
    const { queue } = setUp();
    expect(queue.peek()).toBe(undefined);
    queue.push('a', { tenant: 'x', cost: 5 });
    queue.push('b', { tenant: 'y' });
    expect([queue.peek(), queue.peek(), queue.shift(), queue.size]).toEqual(['b', 'b', 'b', 1]);
  });

  test('clearing tells every owner, and the queue starts afresh', () => {
    const { queue, dropped } = setUp();
    queue.push('a', { tenant: 'x', cost: 100 });
    queue.push('b', { tenant: 'y', priority: 0 });
    queue.clear();
    expect([queue.size, queue.sizeOf('x'), queue.shift()]).toEqual([0, 0, undefined]);
    expect(dropped.sort()).toEqual(['a cleared', 'b cleared']);
  });

  test('an owner may push again while it is told', () => {
    const clock = createFakeClock();
    const queue = createFairQueue<string>({ clock, onDropped: (item) => void queue.push(`${item}!`) });
    queue.push('a', { deadlineMs: clock.monotonicMs() + 10 });
    clock.advance(10);
    expect([queue.shift(), queue.size]).toEqual(['a!', 0]);
    queue.push('b');
    queue.clear();
    expect([queue.size, queue.shift()]).toEqual([1, 'b!']);
  });

  test('no listener is left, whichever way an entry leaves', () => {
    const { clock, queue } = setUp();
    const { signal } = new AbortController();
    const deadlineMs = clock.monotonicMs() + 10;
    queue.push('shifted', { signal, priority: 0 });
    const ticket = queue.push('cancelled', { signal }) as Ticket;
    queue.push('expired', { signal, deadlineMs });
    queue.push('cleared', { signal });
    expect(getEventListeners(signal, 'abort').length).toBe(4);
    queue.shift();
    ticket.cancel();
    clock.advance(10);
    queue.peek();
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    queue.clear();
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });

  test('it sets no timer', () => {
    const { clock, queue } = setUp();
    queue.push('a', { deadlineMs: clock.monotonicMs() + 10 });
    expect(clock.pending).toBe(0);
  });
});

test('a hundred thousand entries of ten thousand tenants come out, each once', () => {
  const { clock } = setUp();
  const queue = createFairQueue<number>({ maxSize: 100_000, clock });
  for (let n = 0; n < 100_000; n++) {
    queue.push(n, {
      tenant: `t${n % 10_000}`,
      priority: (n % 4) as 0,
      cost: 1 + (n % 7),
      deadlineMs: clock.monotonicMs() + 1 + (n % 100),
    });
  }
  const seen = new Set<number>();
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) seen.add(item);
  expect([seen.size, queue.size]).toEqual([100_000, 0]);
});
