/** The store contract for a store with two drivers. */
import { storeCases } from '../../src/testing/index.ts';

/** All cases but the random courses, of which each driver, 0 or 1, plays every other one: what they try is the store's alone. */
export function casesOf(driver: number): typeof storeCases {
  return storeCases.filter(({ name }) => {
    const [, seed] = / seed (\d+)$/.exec(name) ?? [];
    return seed === undefined || Number(seed) % 2 === driver;
  });
}
