/** A thousand calls at once against one budget: what is spent, what is owed, and who is told. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSeededRandom, recordOperations } from '@sage-adk/core/testing';
import { describeWithService } from '@tooling/services';
import { createRateLimiter, type Denied, type Reservation, type Rule, usd } from '../../src/index.ts';
import { memory, postgresAt, redisAt, type StoreMaker, type TimedStore } from './timed-stores.ts';

const calls = 1_000;
const callers = 50;
const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: usd(5), per: 'hour' };
const startUs = Date.UTC(2025, 2, 1) * 1_000;

describe('on the memory store', () => prove(() => memory));

describeWithService('redis', 'on the Redis store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await redisAt(url)));
  afterAll(() => maker.close());
  prove(() => maker);
});

describeWithService('postgres', 'on the PostgreSQL store', (url) => {
  let maker: StoreMaker;
  beforeAll(async () => void (maker = await postgresAt(url, 'budget_proofs')));
  afterAll(() => maker.close());
  prove(() => maker);
});

function prove(maker: () => StoreMaker): void {
  test.each([1, 2, 3])(
    'RL5 RL23: a thousand calls at once that use at most what they reserve never spend more than the budget, seed %d',
    async (seed) => {
      const run = open(maker().create(startUs));
      const random = createSeededRandom(seed);
      await Promise.all(
        Array.from({ length: calls }, () => {
          const reserved = 1 + Math.floor(random() * usd(0.05));
          return run.call(reserved, random() < 0.1 ? 0 : Math.floor(random() * (reserved + 1)));
        }),
      );
      expect(run.admitted).toBeGreaterThan(100);
      expect(run.mostAtRisk).toBeLessThanOrEqual(budget.limit);
      expect(run.spent).toBeLessThanOrEqual(budget.limit);
      // To the billionth of a dollar: nothing was lost, and nothing counted twice.
      expect((await run.limiter.peek(run.user)).remaining).toBe(budget.limit - run.spent);
      await run.limiter.close();
    },
    180_000,
  );

  test('RL6 RL23: what calls use beyond what they reserved is at most their excess in flight, owed, and told', async () => {
    using recorder = recordOperations();
    const timed = maker().create(startUs);
    const run = open(timed);
    const random = createSeededRandom(23);
    await Promise.all(
      Array.from({ length: callers }, async () => {
        for (let call = 0; call < calls / callers; call++) {
          const reserved = 1 + Math.floor(random() * usd(0.05));
          await run.call(reserved, reserved + Math.floor(random() * reserved));
        }
      }),
    );
    const over = run.spent - budget.limit;
    expect(over).toBeGreaterThan(0);
    expect(over).toBeLessThanOrEqual(run.mostExcessInFlight());
    expect(run.mostTold).toBe(over);
    expect(recorder.emitted('budget.exhausted').filter(({ handling }) => handling === 'debt').length).toBe(run.told);

    const refused = await run.limiter.reserve(run.user, { costNanoUsd: 1n });
    if (refused.allowed || refused.retryAfterMs === undefined) throw new Error('nothing is owed');
    timed.nowUs += refused.retryAfterMs * 1_000 - 1;
    expect((await run.limiter.reserve(run.user, { costNanoUsd: 1n })).allowed).toBe(false);
    timed.nowUs += 1;
    expect((await run.limiter.reserve(run.user, { costNanoUsd: 1n })).allowed).toBe(true);
    await run.limiter.close();
  });
}

function open({ store, key }: TimedStore) {
  const run = {
    limiter: createRateLimiter({ rules: [budget], store }),
    user: { user: key },
    admitted: 0,
    /** Billionths of a dollar, all settled calls together. */
    spent: 0,
    /** The most that was spent or reserved at one time. */
    mostAtRisk: 0,
    told: 0,
    mostTold: 0,
    /** What the calls that were in flight together with an admitted one used beyond their reservations, at the most. */
    mostExcessInFlight: () =>
      Math.max(
        ...flights.map(({ askedAt, answeredAt }) =>
          flights
            .filter((other) => other.askedAt < answeredAt && other.settledAt > askedAt)
            .reduce((sum, { excess }) => sum + excess, 0),
        ),
      ),
    async call(reserved: number, used: number): Promise<void> {
      const askedAt = now++;
      const outcome: Reservation | Denied = await run.limiter.reserve(run.user, { costNanoUsd: BigInt(reserved) });
      if (!outcome.allowed) return;
      run.admitted++;
      const answeredAt = now++;
      atRisk += reserved;
      run.mostAtRisk = Math.max(run.mostAtRisk, atRisk);
      for (let turns = used % 7; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      // Before the store can give it to another.
      atRisk -= reserved - used;
      const { settled, overspent } = await outcome.settle({ costNanoUsd: BigInt(used) });
      expect(settled).toBe(true);
      flights.push({ askedAt, answeredAt, settledAt: now++, excess: Math.max(0, used - reserved) });
      run.spent += used;
      run.told += overspent.length;
      run.mostTold = Math.max(run.mostTold, ...overspent.map(({ units }) => units));
    },
  };
  const flights: { askedAt: number; answeredAt: number; settledAt: number; excess: number }[] = [];
  let now = 0;
  let atRisk = 0;
  return run;
}
