/** A rate as a fraction of two whole numbers that fit the arithmetic of a bucket. */
export interface Rate {
  /** Parts of one unit. */
  readonly weight: number;
  /** Parts that leave per microsecond. */
  readonly drain: number;
}

/**
 * The fraction `weight / drain` that is `periodUs / units`, or is the nearest one above with a weight of at most `mostWeight`; undefined where there is none.
 *
 * The nearest is found by descending the Stern-Brocot tree, many steps at a time.
 *
 * @see R. Graham, D. Knuth, O. Patashnik, "Concrete Mathematics", 4.5
 */
export function rateOf(periodUs: number, units: number, mostWeight: number): Rate | undefined {
  const p = BigInt(periodUs);
  const q = BigInt(units);
  const most = BigInt(mostWeight);
  let [belowA, belowB] = [0n, 1n];
  let [aboveA, aboveB] = [1n, 0n];
  for (;;) {
    const aboveBy = q * aboveA - p * aboveB;
    const belowBy = p * belowB - q * belowA;
    const wanted = aboveBy / belowBy;
    const possible = belowA === 0n ? wanted : (most - aboveA) / belowA;
    const down = wanted < possible ? wanted : possible;
    aboveA += down * belowA;
    aboveB += down * belowB;
    const leftBy = q * aboveA - p * aboveB;
    // Exact, or the next step down is too heavy whatever the one up.
    if (leftBy === 0n || possible < wanted) break;
    const up = (belowBy - 1n) / leftBy;
    belowA += up * aboveA;
    belowB += up * aboveB;
    if (aboveA + belowA > most) break;
  }
  return aboveB === 0n || aboveA > most ? undefined : { weight: Number(aboveA), drain: Number(aboveB) };
}
