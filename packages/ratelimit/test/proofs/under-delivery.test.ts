/**
 * What a sliding window of a hundred parts gives away of what an exact log would have admitted of the same traffic.
 *
 * `PROOF_RUNS` multiplies the length of the traffic.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import type { Call } from '../support/traffic.ts';
import { play } from './play.ts';
import { promises, type RulePromise } from './promises.ts';
import { memory, postgresAt, redisAt, type StoreMaker } from './timed-stores.ts';
import { callsOf, type TrafficName, trafficSets } from './traffic-sets.ts';

const runs = Number(process.env['PROOF_RUNS'] ?? 0.4);
const names = Object.keys(trafficSets) as TrafficName[];
const startUs = Date.UTC(2025, 2, 1) * 1_000;
const ring = ringPromise();

describe('on the memory store', () => {
  test(
    'RL14 RL26: a saturated sliding window admits at least 99 % of what an exact log would, and never too much',
    async () => {
      const kept: Record<string, number> = {};
      for (const name of names) {
        const calls = trafficOf(name, 12_000 * runs);
        const admitted = await play(memory.create(startUs), ring, calls, 'calls');
        kept[name] = admitted / exactLog(calls, ring.rule.limit, ring.periodUs);
      }
      process.stderr.write(`of an exact log: ${JSON.stringify(kept)}\n`);
      expect(Object.entries(kept).filter(([, part]) => part <= 0.99)).toEqual([]);
    },
    60_000 * runs + 120_000,
  );
});

describeWithService('redis', 'on the Redis store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await redisAt(url)));
  afterAll(() => maker.close());
  compare(() => maker);
});

describeWithService('postgres', 'on the PostgreSQL store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await postgresAt(url, 'under_delivery_proofs')));
  afterAll(() => maker.close());
  compare(() => maker);
});

function compare(maker: () => StoreMaker): void {
  test(
    'RL14 RL26: a saturated sliding window admits what it does in memory, to the unit',
    async () => {
      await Promise.all(
        names.map(async (name) => {
          const calls = trafficOf(name, 400 * runs);
          const [there, here] = [maker().create(startUs), memory.create(startUs)];
          const admitted = await play(there, ring, calls, 'calls');
          expect({ name, admitted }).toEqual({ name, admitted: await play(here, ring, calls, 'calls') });
        }),
      );
    },
    60_000 * runs + 120_000,
  );
}

function trafficOf(name: TrafficName, count: number): readonly Call[] {
  return callsOf(name, { periodUs: ring.periodUs, limit: ring.rule.limit, callsPerPeriod: 100 }, 26, count);
}

function ringPromise(): RulePromise {
  const found = promises.find(({ name }) => name === 'sliding window of a hundred parts');
  if (found === undefined) throw new TypeError('the promise of a sliding window');
  return found;
}

/** The oracle: units that a log of every charge admits, first come first served. */
function exactLog(calls: readonly Call[], limit: number, periodUs: number): number {
  const log: { readonly atUs: number; readonly cost: number }[] = [];
  let [nowUs, oldest, used, admitted] = [0, 0, 0, 0];
  for (const { gapUs, cost } of calls) {
    nowUs += gapUs;
    for (let entry = log[oldest]; entry !== undefined && nowUs - entry.atUs >= periodUs; entry = log[++oldest])
      used -= entry.cost;
    if (used + cost > limit) continue;
    log.push({ atUs: nowUs, cost });
    used += cost;
    admitted += cost;
  }
  return admitted;
}
