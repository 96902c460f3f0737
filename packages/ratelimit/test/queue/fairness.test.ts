import { describe, expect, test } from '@jest/globals';
import { createFakeClock, createSeededRandom } from '@sage-adk/core/testing';
import { createRateLimiter } from '../../src/index.ts';
import { createLimiterQueue, type LimiterQueueOptions } from '../../src/queue/limiter-queue.ts';

const unbounded = { maxSize: 100_000, maxPerUser: 100_000 };
const users = 1_000;
const perSecond = 500;
/** What the limit admits beyond its rate, once. */
const burst = 50;
const seconds = process.env['LONG'] === '1' ? 120 : 10;

describe('a thousand users, three times the limit, some of them a hundred times as busy as others', () => {
  test('RL24: each gets the share of a fair division, and the limit is used', async () => {
    const fair = await overload((user) => `user${user}`);
    const small = await overload((user) => `user${user}`, { maxSize: 1_024, maxPerUser: 64 });
    const unfair = await overload(() => 'everybody');
    // The baseline is printed: it shows what fairness is worth.
    process.stderr.write(
      `fair queue: Gini ${fair.gini.toFixed(3)}, ${percent(fair.used)} used; with the default bounds: Gini ${small.gini.toFixed(3)}, ${percent(small.used)} used; first come first served: Gini ${unfair.gini.toFixed(3)}, ${percent(unfair.used)} used\n`,
    );
    expect(fair.gini).toBeLessThan(0.1);
    expect(fair.used).toBeGreaterThanOrEqual(0.95);
    expect(small.gini).toBeLessThan(0.1);
    expect(small.used).toBeGreaterThanOrEqual(0.95);
    expect(unfair.gini).toBeGreaterThan(2 * fair.gini);
  });
});

/** Sends the demand of all users through a queue that knows them by the names given. */
async function overload(nameOf: (user: number) => string, bounds: Partial<LimiterQueueOptions> = unbounded) {
  const random = createSeededRandom(24);
  const clock = createFakeClock();
  const limiter = createRateLimiter({
    rules: [{ name: 'all', scope: 'global', limit: perSecond, per: 'second', burst }],
    clock,
  });
  const queue = createLimiterQueue({ ...bounds, limiter, clock });
  const demand = new Float64Array(users);
  const admitted = new Float64Array(users);
  const pick = zipf(random);
  const calls: Promise<void>[] = [];
  const endMs = clock.monotonicMs() + seconds * 1_000;
  let inTime = 0;
  for (let ms = 0; ms < seconds * 1_000; ms += 10) {
    for (let n = 0; n < (3 * perSecond) / 100; n++) {
      const user = pick();
      demand[user] = (demand[user] ?? 0) + 1;
      calls.push(
        queue.acquire({ user: nameOf(user) }, undefined, { maxWaitMs: 5_000 }).then(async (outcome) => {
          if (!outcome.allowed) return;
          admitted[user] = (admitted[user] ?? 0) + 1;
          if (clock.monotonicMs() < endMs) inTime++;
          await outcome.settle();
        }),
      );
    }
    await clock.advanceAsync(10);
  }
  await clock.advanceAsync(6_000);
  await Promise.all(calls);
  const capacity = admitted.reduce((sum, count) => sum + count, 0);
  const share = waterFilling(demand, capacity);
  await queue.close();
  await limiter.close();
  const satisfaction = [...demand].flatMap((count, user) =>
    count === 0 ? [] : [(admitted[user] ?? 0) / Math.min(count, share)],
  );
  return { gini: gini(satisfaction), used: inTime / (burst + perSecond * seconds) };
}

/** Draws users so that the n-th is asked for in proportion to 1 / n. */
function zipf(random: () => number): () => number {
  const weights = Array.from({ length: users }, (_, user) => 1 / (user + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const ends = weights.map((weight) => (sum += weight / total));
  return () => {
    const at = random();
    const user = ends.findIndex((end) => at < end);
    return user < 0 ? users - 1 : user;
  };
}

/** The most that each may get, so that who wants less gets all of it and the rest share evenly. */
function waterFilling(demand: Float64Array, capacity: number): number {
  const rising = [...demand].sort((a, b) => a - b);
  let left = capacity;
  for (const [index, wanted] of rising.entries()) {
    const share = left / (rising.length - index);
    if (wanted > share) return share;
    left -= wanted;
  }
  return Number.POSITIVE_INFINITY;
}

/** 0 where all are alike, towards 1 where one has everything. */
function gini(values: readonly number[]): number {
  const rising = [...values].sort((a, b) => a - b);
  const sum = rising.reduce((total, value) => total + value, 0);
  const weighted = rising.reduce((total, value, index) => total + (index + 1) * value, 0);
  return (2 * weighted) / (rising.length * sum) - (rising.length + 1) / rising.length;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
