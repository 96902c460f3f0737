import { describe, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { spending } from '../src/spending.ts';
import { postgresStores, redisStores, type SharedStoresOptions } from '../src/spending-stores.ts';

/** The long form: SAGE_DRILL_CALLS=1000. */
const calls = Number(process.env['SAGE_DRILL_CALLS'] ?? 200);
const seed = Number(process.env['SAGE_DRILL_SEED'] ?? Date.now() % 100_000);

function drill(open: (options: SharedStoresOptions) => ReturnType<typeof redisStores>, url: string): void {
  describe.each([false, true])('guarded: %p', (guarded) => {
    // A fourth of what all of them ask for, used up to the last; and all of it, of which they use less than they ask for.
    test.each([0.25, 1])(
      `RL5, RL6, RL23: ${calls} streams at once never cost more than a budget for %p of them (seed ${seed})`,
      async (share) => {
        await using shared = await open({ url, count: 4, deadlineMs: 10_000, guarded });
        const budgetNanoUsd = BigInt(Math.floor(calls * share * 350_000));
        const result = await spending({ calls, budgetNanoUsd, stores: shared.stores, seed, usesUp: share < 1 });
        const { countedNanoUsd, settledNanoUsd, billedNanoUsd, outcomes } = result;
        console.info(JSON.stringify({ store: open.name, guarded, share, seed, ...result }));
        expect(countedNanoUsd).toBeLessThanOrEqual(result.budgetNanoUsd);
        // Nothing is held for calls that are over.
        expect(countedNanoUsd).toBe(settledNanoUsd);
        expect(billedNanoUsd).toBeLessThanOrEqual(countedNanoUsd);
        // The budget is used, not only kept.
        expect(Object.keys(outcomes)).toEqual(
          expect.arrayContaining(share < 1 ? ['200', '429', 'left'] : ['200', 'left']),
        );
        if (share < 1) expect(countedNanoUsd).toBeGreaterThan(result.budgetNanoUsd * 0.95);
      },
      300_000,
    );
  });
}

describeWithService('redis', 'a budget in Redis', (url) => {
  drill(redisStores, url);

  test('is overrun in the same drill where calls are charged when they are over', async () => {
    await using shared = await redisStores({ url, count: 4, deadlineMs: 10_000, guarded: false });
    const budgetNanoUsd = BigInt(calls * 0.25 * 350_000);
    const result = await spending({ calls, budgetNanoUsd, stores: shared.stores, seed, chargesAfterwards: true });
    expect(result.billedNanoUsd).toBeGreaterThan(result.budgetNanoUsd);
  });
});
describeWithService('postgres', 'a budget in PostgreSQL', (url) => drill(postgresStores, url));
