/**
 * Token bucket as GCRA: one timestamp per key instead of a count and a clock.
 *
 * A key may spend `cost` now if that leaves its theoretical arrival time no further ahead than the burst allows. Admits at most
 * `burst + window / interval` in any window; see {@link strictBucket} for a hard bound. All times are whole microseconds on one clock.
 *
 * @see ITU-T I.371, generic cell rate algorithm
 */
export interface TokenBucket {
  /** Time one unit of cost takes to refill, in microseconds. */
  readonly intervalUs: number;
  /** Most units that may be spent at once. */
  readonly burst: number;
}

/** `retryAfterUs` is undefined where waiting cannot help: the cost is above the burst. */
export type Verdict =
  | { readonly allowed: true; readonly nextUs: number }
  | { readonly allowed: false; readonly retryAfterUs: number | undefined };

/** A bucket that refills `limit` units per period. The interval is rounded up: a rounding never admits more. */
export function pacedBucket(limit: number, periodUs: number, burst: number): TokenBucket {
  return { intervalUs: Math.ceil(periodUs / limit), burst };
}

/**
 * A bucket that never admits more than `limit` in any window of one period, ends excluded. What may come at once is taken from the refill:
 * it sustains `limit + 1 - burst` per period.
 */
export function strictBucket(limit: number, periodUs: number, burst: number): TokenBucket {
  return { intervalUs: Math.ceil(periodUs / (limit + 1 - burst)), burst };
}

/** What the bucket decides about a cost at a moment. Nothing is written; {@link commit} writes. */
export function decide(bucket: TokenBucket, arrivalUs: number, cost: number, nowUs: number): Verdict {
  const { intervalUs, burst } = bucket;
  if (cost > burst) return { allowed: false, retryAfterUs: undefined };
  const nextUs = Math.max(arrivalUs, nowUs) + cost * intervalUs;
  const aheadUs = nextUs - nowUs - burst * intervalUs;
  return aheadUs <= 0 ? { allowed: true, nextUs } : { allowed: false, retryAfterUs: aheadUs };
}

/** Writes what was decided; a denial writes nothing. */
export function commit(arrivalsUs: Float64Array, index: number, verdict: Verdict): void {
  if (verdict.allowed) arrivalsUs[index] = verdict.nextUs;
}

/** Whole units that may be spent now. */
export function remainingUnits({ intervalUs, burst }: TokenBucket, arrivalUs: number, nowUs: number): number {
  return Math.max(0, Math.floor(burst - Math.max(0, arrivalUs - nowUs) / intervalUs));
}

/** Microseconds until the bucket is full. A full bucket cannot be told from one that was never used. */
export function fullAfterUs(arrivalUs: number, nowUs: number): number {
  return Math.max(0, arrivalUs - nowUs);
}
