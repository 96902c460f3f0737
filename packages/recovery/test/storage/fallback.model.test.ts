/** The promise of each write, over schedules of outages and crashes of two processes. */
import { expect, test } from '@jest/globals';
import type { KeyValueStore } from '@sage-adk/core';
import { redisErrors } from '@sage-adk/core/redis';
import { createFakeClock } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { createMemoryDeadLetters } from '../../src/dead-letters/index.ts';
import {
  createMemoryStore,
  createStorageFallback,
  type Durability,
  type StorageFallback,
} from '../../src/storage/index.ts';

type Step =
  | { readonly do: 'write'; readonly process: 0 | 1; readonly key: string; readonly crashAt: number | undefined }
  | { readonly do: 'recover'; readonly process: 0 | 1; readonly crashAt: number | undefined }
  | { readonly do: 'primary' | 'replica'; readonly down: boolean };

const processes = fc.constantFrom(0 as const, 1 as const);
const crashAt = fc.option(fc.nat(12), { nil: undefined, freq: 3 });
const schedule = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        process: processes,
        key: fc.constantFrom('a', 'b'),
        crashAt,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('recover' as const), process: processes, crashAt }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constantFrom('primary' as const, 'replica' as const), down: fc.boolean() }),
    },
  ),
  { minLength: 4, maxLength: 24 },
) as fc.Arbitrary<readonly Step[]>;

interface Acknowledged {
  readonly key: string;
  readonly value: number;
  readonly durability: Durability;
  /** The life of a process; a crash begins another one. */
  readonly life: number;
}

/** Stores as one process reaches them: counts its calls, and is cut off before or after the call at which it crashes. */
class Life {
  crashIn: number | undefined;
  dead = false;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  reach(store: KeyValueStore, outage: { down: boolean }): KeyValueStore {
    const guard = async <T>(call: () => Promise<T>): Promise<T> => {
      const left = this.crashIn === undefined ? undefined : this.crashIn--;
      if (left === 0) this.dead = true;
      if (this.dead) throw redisErrors.NOT_READY();
      if (outage.down) throw redisErrors.NOT_READY();
      const result = await call();
      // Unless the step in which it was to crash is over.
      if (left === 1 && this.crashIn !== undefined) this.dead = true;
      if (this.dead) throw redisErrors.NOT_READY();
      return result;
    };
    return {
      get: (...args) => guard(() => store.get(...args)),
      set: (...args) => guard(() => store.set(...args)),
      delete: (...args) => guard(() => store.delete(...args)),
      list: (...args) => guard(() => store.list(...args)),
      close: async () => {},
    };
  }
}

async function holds(steps: readonly Step[]): Promise<void> {
  const clock = createFakeClock();
  const history = new Set<number>();
  const last = new Map<string, number>();
  const overruled: number[] = [];
  const acknowledged: Acknowledged[] = [];
  const truth = createMemoryStore({ clock });
  const primary: KeyValueStore = {
    ...truth,
    async set(key, value, options) {
      const version = await truth.set(key, value, options);
      if (version === undefined) return undefined;
      // A write never takes the place of one that was made later: it was not made over that. Where nothing was known of the key when it was made, the
      // replica must have a copy of the later one.
      const later = last.get(key) ?? 0;
      if ((value as number) <= later && (copied.has(later) || !isBlind(value as number)))
        overruled.push(value as number);
      last.set(key, value as number);
      history.add(value as number);
      return version;
    },
  };
  const replicated = createMemoryStore({ clock });
  const copied = new Set<number>();
  const blind = new Set<number>();
  const replica: KeyValueStore = {
    ...replicated,
    async set(key, value, options) {
      const version = await replicated.set(key, value, options);
      const kept = value as { readonly base?: string | null; readonly value: number } | null;
      if (key.startsWith('copy:') && kept !== null) copied.add(kept.value);
      if (key.startsWith('journal:') && kept !== null && kept.base === undefined) blind.add(kept.value);
      return version;
    },
  };
  const isBlind = (value: number) =>
    blind.has(value) || acknowledged.some((write) => write.value === value && write.durability === 'volatile');
  const outages = { primary: { down: false }, replica: { down: false } };
  const deadLetters = createMemoryDeadLetters({ clock });
  let lives = 0;
  let values = 0;
  const start = (): { life: Life; storage: StorageFallback } => {
    const life = new Life(++lives);
    const storage = createStorageFallback({
      primary: life.reach(primary, outages.primary),
      replica: life.reach(replica, outages.replica),
      whenDown: { deadLetters, allowVolatileWrites: true },
      clock,
    });
    return { life, storage };
  };
  const running = [start(), start()];
  const cutOff: Omit<Acknowledged, 'durability' | 'life'>[] = [];

  const act = async (
    index: 0 | 1,
    crash: number | undefined,
    call: (storage: StorageFallback, life: Life) => Promise<void>,
  ) => {
    const { life, storage } = running[index] ?? start();
    life.crashIn = crash;
    await call(storage, life).catch(() => {});
    life.crashIn = undefined;
    if (!life.dead) return;
    await storage.close();
    running[index] = start();
  };
  for (const step of steps) {
    if ('down' in step) outages[step.do].down = step.down;
    else if (step.do === 'recover')
      await act(step.process, step.crashAt, async (storage) => void (await storage.recover()));
    else {
      const value = ++values;
      const { key } = step;
      await act(step.process, step.crashAt, async (storage, life) => {
        try {
          const { version, durability } = await storage.write(key, value);
          // What a dying process believed nobody was told.
          if (version !== undefined && !life.dead) acknowledged.push({ key, value, durability, life: life.id });
        } finally {
          if (life.dead && storage.state === 'degraded') cutOff.push({ key, value });
        }
      });
    }
    clock.advance(5);
  }

  outages.primary.down = false;
  outages.replica.down = false;
  for (const { storage } of running) expect(await storage.recover()).toBe('primary');
  const alive = new Set(running.map(({ life }) => life.id));
  for (const { storage } of running) await storage.close();

  expect(overruled).toEqual([]);
  const lost = new Set<number>();
  for await (const { payload } of deadLetters.query()) lost.add((payload as { value: number }).value);
  const isAccounted = ({ value }: { value: number }) => history.has(value) || lost.has(value);
  for (const [index, write] of acknowledged.entries()) {
    const { key, value, durability, life } = write;
    if (durability === 'primary') expect(history.has(value)).toBe(true);
    if (durability === 'volatile' && !alive.has(life)) continue;
    // A later write of the key in the same journal took its place, told to its caller or not, and is accounted for in its stead.
    const later = [
      ...acknowledged.slice(index + 1).filter((other) => other.key === key && other.durability === durability),
      ...cutOff.filter((other) => other.key === key && other.value > value && durability === 'replicated-later'),
    ];
    expect({ write, isKept: isAccounted(write) || later.some(isAccounted) }).toEqual({ write, isKept: true });
  }
}

/** More by hand, such as 10000. */
const numRuns = Number(process.env['SAGE_MODEL_RUNS'] ?? 400);

test('ER10: what was acknowledged as primary or replicated-later survives every crash, as volatile every outage', async () => {
  await fc.assert(fc.asyncProperty(schedule, holds), { numRuns });
});
