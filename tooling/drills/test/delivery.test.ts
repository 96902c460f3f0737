import { beforeAll, describe, expect, test } from '@jest/globals';
import { deliver, type Life } from '../src/delivery/deliver.ts';

describe('OC8: metrics that are pushed each second', () => {
  let lives: readonly Life[];

  beforeAll(async () => {
    lives = await deliver({ endings: ['SIGTERM', 'SIGKILL'], lifeSeconds: 0, clients: 4, pauseMs: 10 });
  }, 180_000);

  test('an agent that gets SIGTERM under load delivers every request that it answered', () => {
    const [ended] = lives;
    expect(ended?.lost).toBe(0);
    expect(ended?.answered).toBeGreaterThan(0);
    expect(ended?.delivered).toBe(ended?.answered);
  });

  test('one that is killed loses at most what it answered since its last push but one was taken', () => {
    const killed = lives[1];
    expect(killed?.answered).toBeGreaterThan(0);
    expect(killed?.delivered).toBeGreaterThan(0);
    // What was answered before the last push but one was taken is in the last one, in the order of things.
    expect(killed?.lost).toBeLessThanOrEqual(killed?.atRisk ?? 0);
  });
});
