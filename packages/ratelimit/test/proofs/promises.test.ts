/**
 * Every strategy on every store against what it promises.
 *
 * `PROOF_RUNS` multiplies the number of traces; each failure prints the seed it is repeated with.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import * as fc from 'fast-check';
import { play } from './play.ts';
import { promises, type RulePromise } from './promises.ts';
import { memory, postgresAt, redisAt, type StoreMaker } from './timed-stores.ts';
import { callsOf, type TrafficName, trafficSets } from './traffic-sets.ts';

const runs = Number(process.env['PROOF_RUNS'] ?? 0.4);
const names = Object.keys(trafficSets) as TrafficName[];
// A full period of every rule, so that an attacker knows where its windows end.
const startUs = Date.UTC(2025, 2, 1) * 1_000;

describe('on the memory store', () => proveAll(() => memory, 250, 1));

describeWithService('redis', 'on the Redis store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await redisAt(url)));
  afterAll(() => maker.close());
  proveAll(() => maker, 2, 16);
});

describeWithService('postgres', 'on the PostgreSQL store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await postgresAt(url, 'promises_proofs')));
  afterAll(() => maker.close());
  proveAll(() => maker, 1, 16);
});

/** @param atOnce traces that run side by side, each on a store of its own. */
function proveAll(maker: () => StoreMaker, numRuns: number, atOnce: number): void {
  test.each(promises.map((promise) => [`${rows(promise)}: ${promise.name}`, promise] as const))(
    '%s admits no more than it promises in any window, whatever comes, and is settled however',
    async (_name, promise) => {
      await fc.assert(
        fc.asyncProperty(fc.array(trace, { minLength: atOnce, maxLength: atOnce }), async (traces) => {
          await Promise.all(traces.map((each) => replay(maker(), promise, each)));
        }),
        // Shrinking on a server takes minutes; the seed tells the trace.
        { numRuns: Math.ceil(numRuns * runs), endOnFailure: atOnce > 1 },
      );
    },
    60_000 * runs + 120_000,
  );
}

const trace = fc.record({
  traffic: fc.constantFrom(...names),
  seed: fc.nat(2 ** 31),
  length: fc.integer({ min: 1, max: 120 }),
  onExpiry: fc.constantFrom('charge', 'return'),
  mix: fc.constantFrom('calls', 'reservations', 'reservations'),
});
type Trace = typeof trace extends fc.Arbitrary<infer T> ? T : never;

async function replay(
  maker: StoreMaker,
  promise: RulePromise,
  { traffic, seed, length, onExpiry, mix }: Trace,
): Promise<void> {
  const { rule, periodUs } = promise;
  const timed = maker.create(startUs);
  const callsPerPeriod = Math.min(rule.limit, 12);
  const calls = callsOf(traffic, { periodUs, limit: rule.limit, callsPerPeriod }, seed, length);
  await play(
    timed,
    { ...promise, rule: { ...rule, onExpiry } },
    calls,
    rule.unit === 'concurrency' ? 'reservations' : mix,
    seed,
  );
  await timed.store.close();
}

/** The requirements that a promise is about. */
function rows({ name, rule }: RulePromise): string {
  if (rule.unit === 'cost') return 'RL5 RL23';
  if (name.startsWith('fixed') || name.startsWith('calendar')) return 'RL13';
  if (name.startsWith('sliding')) return 'RL14 RL26';
  return name.startsWith('leaky') ? 'RL15' : rule.unit === 'concurrency' ? 'RL3 RL4' : 'RL12';
}

test('the promises say what they should: a broken one is noticed', async () => {
  const [first] = promises;
  if (first === undefined) throw new TypeError('a promise');
  const stricter = { ...first, over: (...args: Parameters<RulePromise['over']>) => first.over(...args) + 1 };
  const calls = callsOf('bursts', { periodUs: first.periodUs, limit: 12, callsPerPeriod: 12 }, 1, 100);
  await expect(play(memory.create(startUs), stricter, calls, 'calls')).rejects.toThrow('beyond the promise');
});
