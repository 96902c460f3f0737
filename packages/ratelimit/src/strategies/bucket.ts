/**
 * Token bucket and leaky bucket: a debt that drains at a constant rate.
 *
 * A key may spend `cost` now if its debt then stays within the burst. Admits at most `burst + rate * window` in any window; rules that are `strict`
 * drain so slowly that this is at most the limit.
 *
 * All numbers are whole. Debt is counted in parts of a unit: a unit weighs `weight` parts and `drain` parts leave per microsecond, with
 * `weight / drain = period / limit`. The reduced fraction is exact for round limits, from one request a month to a billion tokens a second; where it is
 * too large for 53 bits, the nearest fraction above stands in, so that rounding never admits more. One arrival time per key would be smaller, but
 * whole microseconds cannot tell rates above a million per second apart, and finer ticks since 1970 do not fit.
 *
 * @see ITU-T I.371, generic cell rate algorithm, in its form as a continuous-state leaky bucket
 */
export interface Bucket {
  readonly kind: 'bucket';
  /** Parts that one unit weighs; `(burst + queue) * weight` is at most {@link mostParts}. */
  readonly weight: number;
  /** Parts that leave per microsecond. */
  readonly drain: number;
  /** Most units at once. */
  readonly burst: number;
  /** Units beyond the burst that may wait for their departure; 0 for no queue. */
  readonly queue: number;
}

/**
 * What is kept for a key; all 0 where nothing is owed. Invariant: `solid <= debt <= solid + held`.
 *
 * A reservation drains like any charge, and what of it has drained is not given back: that was capacity of a time that is over. How much is left of it after
 * others came and went is not known exactly without their whole history, but `solid + held` bounds the debt from above, so the debt may be
 * lowered to it at any time.
 */
export interface BucketState {
  /** Parts owed as of `atUs`: every charge and every reservation, drained; at most {@link mostDebt}. */
  debt: number;
  /** Parts owed if no reservation had been made: charges, and what settled reservations used, as of their settlement. */
  solid: number;
  /** Parts reserved and not settled, never drained. Zero again when nothing is owed any more. */
  held: number;
  atUs: number;
  /** When the debt last rose from 0; tells reservations apart that were made before and after. */
  sinceUs: number;
}

/**
 * The largest burst and queue together, in parts. Rounding then slows a bucket by at most its period in microseconds over the parts of its burst: a month by
 * a quarter of a percent, an hour by 4 in a million.
 */
export const mostParts = 2 ** 50;
/** No number of parts grows beyond: four times the largest bucket, and sums of two are still exact. */
export const mostDebt = 2 ** 52;

type Debt = Pick<BucketState, 'debt'>;

export function freshBucket(): BucketState {
  return { debt: 0, solid: 0, held: 0, atUs: 0, sinceUs: 0 };
}

/** Lets time pass. A clock that went back drains nothing. */
export function drainTo({ drain }: Bucket, state: BucketState, nowUs: number): void {
  if (nowUs > state.atUs) {
    const parts = (nowUs - state.atUs) * drain;
    state.debt = Math.max(0, state.debt - parts);
    state.solid = Math.max(0, state.solid - parts);
    state.atUs = nowUs;
  }
  if (state.debt === 0) state.solid = state.held = state.sinceUs = 0;
}

/** What is left of parts owed as of `atUs`. */
export function drained(parts: number, atUs: number, drain: number, nowUs: number): number {
  return Math.max(0, parts - Math.max(0, nowUs - atUs) * drain);
}

/**
 * Microseconds until the cost is accepted: 0 now, Infinity never. With a queue it is accepted ahead of its time and departs after {@link bucketDelayUs}.
 *
 * @param state drained to now, as for all functions below.
 * @param maxWaitUs how long the caller would wait for the departure.
 */
export function bucketWaitUs(
  { weight, drain, burst, queue }: Bucket,
  { debt }: Debt,
  cost: number,
  maxWaitUs: number,
): number {
  if (cost === 0) return 0;
  if (cost > burst) return Number.POSITIVE_INFINITY;
  const over = debt - (burst - cost) * weight;
  const mayWait = queue === 0 ? 0 : Math.min(queue * weight, maxWaitUs * drain);
  return over <= mayWait ? 0 : Math.ceil((over - mayWait) / drain);
}

/** Microseconds from acceptance to departure; asked before the cost is added. */
export function bucketDelayUs({ weight, drain, burst }: Bucket, { debt }: BucketState, cost: number): number {
  return cost === 0 ? 0 : Math.max(0, Math.ceil((debt - (burst - cost) * weight) / drain));
}

/** What is left of that for a reservation that a queue gave this mark, to a microsecond more. */
export function bucketDelayLeftUs({ weight, drain, burst }: Bucket, mark: number, nowUs: number): number {
  return Math.max(0, mark - Math.floor((burst * weight) / drain) - nowUs);
}

/** Adds a cost for good, whether it fits or not. */
export function spendFromBucket({ weight }: Bucket, state: BucketState, cost: number): void {
  if (cost === 0) return;
  if (state.debt === 0) state.sinceUs = state.atUs;
  state.debt = plus(state.debt, cost, weight);
  state.solid = plus(state.solid, cost, weight);
}

/**
 * The hot path: lets time pass, and spends a cost that fits, of a bucket of which nothing is reserved. So {@link drainTo}, {@link bucketWaitUs} and
 * {@link spendFromBucket} in one, without a call and without a number that is not needed.
 *
 * @param row where `[debt, atUs, sinceUs]` lies `at` some index; written only where the cost is spent.
 * @param told its `level` becomes the debt after that.
 * @returns whether nothing was owed before, where the cost was spent.
 */
export function spendAtOnce(
  bucket: Bucket,
  row: Float64Array,
  at: number,
  cost: number,
  nowUs: number,
  told: { waitUs: number; level: number },
): boolean {
  const { weight } = bucket;
  const atUs = row[at + 1] ?? 0;
  const laterUs = Math.max(nowUs, atUs);
  const debt = Math.max(0, (row[at] ?? 0) - (laterUs - atUs) * bucket.drain);
  const room = (bucket.burst - cost) * weight;
  told.level = debt;
  if (cost === 0 || debt > room) {
    told.waitUs = bucketWaitUs(bucket, { debt }, cost, 0);
    return false;
  }
  told.waitUs = 0;
  row[at] = told.level = Math.min(mostDebt, debt + cost * weight);
  row[at + 1] = laterUs;
  if (debt > 0) return false;
  row[at + 2] = laterUs;
  return true;
}

/** Adds a cost that will be settled. Returns the mark that {@link settleBucket} needs. */
export function holdInBucket(bucket: Bucket, state: BucketState, cost: number): number {
  const { weight, drain, queue } = bucket;
  const held = plus(state.held, cost, weight);
  if (queue > 0 || held === mostDebt) {
    spendFromBucket(bucket, state, cost);
    return queue > 0 ? tailUs(state, drain) : 0;
  }
  if (state.debt === 0 && cost > 0) state.sinceUs = state.atUs;
  state.debt = plus(state.debt, cost, weight);
  state.held = cost === 0 ? state.held : held;
  return state.sinceUs;
}

/**
 * Replaces a held cost by what was used, more or less.
 *
 * In a queue only the last in line leaves without a trace. A place in the middle stays empty: those behind it have been told when to go.
 */
export function settleBucket(bucket: Bucket, state: BucketState, held: number, mark: number, used: number): void {
  const { weight, queue } = bucket;
  if (queue > 0 || mark === 0 || mark !== state.sinceUs) {
    settleApart(bucket, state, held, mark, used);
    return;
  }
  const left = Math.max(0, state.held - held * weight);
  const solid = plus(state.solid, used, weight);
  const debt = Math.min(used > held ? plus(state.debt, used - held, weight) : state.debt, solid + left);
  state.held = left;
  state.debt = debt;
  // What was used may have drained already as a part of the debt.
  state.solid = Math.min(solid, debt);
}

/** In a queue, or where what was held is not told from the rest any more. */
function settleApart(bucket: Bucket, state: BucketState, held: number, mark: number, used: number): void {
  const { weight, drain, queue } = bucket;
  if (queue === 0 || used >= held || tailUs(state, drain) !== mark) {
    spendFromBucket(bucket, state, Math.max(0, used - held));
  } else {
    const parts = (held - used) * weight;
    state.debt = Math.max(0, state.debt - parts);
    state.solid = Math.max(0, state.solid - parts);
  }
}

/** Whole units that may be spent now. */
export function bucketRemaining({ weight, burst }: Bucket, { debt }: Debt): number {
  return Math.max(0, Math.floor((burst * weight - debt) / weight));
}

/** Units owed beyond the burst, rounded up. */
export function bucketOver({ weight, burst }: Bucket, { debt }: BucketState): number {
  return Math.max(0, Math.ceil((debt - burst * weight) / weight));
}

/** Microseconds until nothing is owed. A bucket without debt cannot be told from one that was never used. */
export function bucketResetUs({ drain }: Bucket, { debt }: Debt): number {
  return Math.ceil(debt / drain);
}

/**
 * The same state for another weight, for a limit that is changed: units as they are, and what is left of one to a part. Whoever still goes by the limit before
 * converts back, so to round to units would add one to the debt each time.
 */
export function reweigh(state: BucketState, from: number, to: number): void {
  const convert = (parts: number): number => {
    const rest = parts % from;
    return plus(Math.min(to, Math.ceil((rest / from) * to)), (parts - rest) / from, to);
  };
  state.debt = convert(state.debt);
  state.solid = convert(state.solid);
  state.held = convert(state.held);
}

/** Parts and the weight of some units. Only what is charged by force can reach the bound, and only beyond it is the sum not exact. */
export function plus(parts: number, units: number, weight: number): number {
  return Math.min(mostDebt, parts + units * weight);
}

/** When all that is owed now will have drained. */
function tailUs({ debt, atUs }: BucketState, drain: number): number {
  return atUs + Math.ceil(debt / drain);
}
