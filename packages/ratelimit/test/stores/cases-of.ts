/** The store contract for a store with two drivers. */
import { storeCases } from '../../src/testing/index.ts';

/** All cases; of the random courses, which try the store alone, each driver, 0 or 1, plays every other one, or all where `LONG` is 1. */
export function casesOf(driver: number): typeof storeCases {
  return storeCases.filter(({ name }) => {
    const [, seed] = / seed (\d+)$/.exec(name) ?? [];
    return seed === undefined || process.env['LONG'] === '1' || Number(seed) % 2 === driver;
  });
}
