/**
 * What rules promise, told without knowing how they count: from the list of all charges and the present time alone.
 *
 * The reference of the proofs. It shares no arithmetic with the stores: sums over plain lists, dates from `Intl`.
 */
import type { Rule } from '../../src/index.ts';

/** Units that were charged. A settlement lowers them to what was used; what was used beyond is a charge of its own. */
export interface Charge {
  readonly atUs: number;
  /** When it may go on; later than `atUs` in a queue. */
  readonly departsUs: number;
  units: number;
}

/** The promise of a rule. */
export interface RulePromise {
  readonly name: string;
  readonly rule: Rule;
  /** The time the limit is for. */
  readonly periodUs: number;
  /**
   * Units beyond the promise that the worst window would hold if one more charge were made; above 0 breaks it. Windows that end before now were judged
   * when they did.
   */
  over(charges: readonly Charge[], more: Charge): number;
  /** Whether a denial keeps the promise too: not where there was room in every window. */
  mayDeny(charges: readonly Charge[], more: Charge): boolean;
  /** Told of each charge before it is made. */
  note?(charges: readonly Charge[], atUs: number): void;
}

const minuteUs = 60_000_000;
const hourUs = 60 * minuteUs;
const dayUs = 24 * hourUs;

/** One promise of each kind; of each a limit to count single calls with, or a large one to spend in parts. */
export const promises: readonly RulePromise[] = [
  bucket('token bucket', { limit: 12, per: 'minute' }, 12, minuteUs),
  bucket(
    'token bucket of tokens, small burst',
    { unit: 'tokens', limit: 90_000, per: 'minute', burst: 20_000 },
    20_000,
    minuteUs,
  ),
  bucket('leaky bucket as a meter', { limit: 20, per: 'minute', strategy: 'leaky-bucket' }, 1, minuteUs),
  bucket(
    'leaky bucket with a queue',
    { limit: 20, per: 'minute', strategy: 'leaky-bucket', burst: 3, maxQueue: 9 },
    3,
    minuteUs,
  ),
  {
    ...sliding('strict token bucket', { limit: 12, per: 'minute', strategy: 'token-bucket', strict: true }, minuteUs),
    mayDeny: () => true,
  },
  sliding('sliding window, exact log', { limit: 12, per: 'minute' }, minuteUs),
  sliding(
    'sliding window of a hundred parts',
    { unit: 'tokens', limit: 50_000, per: 'minute' },
    minuteUs,
    minuteUs / 100,
  ),
  sliding('cost', { unit: 'cost', limit: 2_000_000_000, per: 'hour' }, hourUs, hourUs / 100),
  windows('fixed window', { limit: 12, per: 'minute' }, minuteUs, (atUs) => Math.floor(atUs / minuteUs)),
  anchored('fixed window, anchored', { limit: 12, per: 'minute', anchored: true }, minuteUs),
  windows(
    'calendar day',
    { limit: 12, per: 'calendar-day', timeZone: 'America/New_York' },
    dayUs,
    dateIn('America/New_York', 10),
  ),
  windows(
    'calendar month of money',
    { unit: 'cost', limit: 900_000_000_000, per: 'calendar-month', timeZone: 'Asia/Kolkata' },
    30 * dayUs,
    dateIn('Asia/Kolkata', 7),
  ),
  slots('concurrency', { unit: 'concurrency', limit: 4 }, minuteUs),
];

type Fields = Omit<Rule, 'name' | 'scope'>;

/** At most `burst` and the rate of the limit in any window of whatever length, both ends included. */
function bucket(name: string, fields: Fields, burst: number, periodUs: number): RulePromise {
  return {
    ...named(name, fields, periodUs),
    over(charges, more) {
      const leaving = [...charges, more].filter(({ units }) => units > 0).toSorted((a, b) => a.departsUs - b.departsUs);
      let most = Number.NEGATIVE_INFINITY;
      let sum = 0;
      for (const { departsUs, units } of leaving.toReversed()) {
        sum += units;
        const lastUs = leaving.at(-1)?.departsUs ?? departsUs;
        // Whole numbers below 2^53: units by microseconds.
        most = Math.max(most, (sum - burst) * periodUs - fields.limit * (lastUs - departsUs));
      }
      return most / periodUs;
    },
    mayDeny: () => true,
  };
}

/** At most the limit in any window of one period. @param coarseUs for how much longer a charge may count. */
function sliding(name: string, fields: Fields, periodUs: number, coarseUs = 0): RulePromise {
  const within = (charges: readonly Charge[], { atUs, units }: Charge, lengthUs: number): number =>
    charges.reduce((sum, charge) => (atUs - charge.atUs < lengthUs ? sum + charge.units : sum), units) - fields.limit;
  return {
    ...named(name, { strategy: 'sliding-window', ...fields }, periodUs),
    over: (charges, more) => within(charges, more, periodUs),
    mayDeny: (charges, more) => within(charges, more, periodUs + coarseUs) > 0,
  };
}

/** At most the limit in each window that has a name. */
function windows(name: string, fields: Fields, periodUs: number, windowOf: (atUs: number) => unknown): RulePromise {
  const over = (charges: readonly Charge[], { atUs, units }: Charge): number => {
    const window = windowOf(atUs);
    return (
      charges.reduce((sum, charge) => (windowOf(charge.atUs) === window ? sum + charge.units : sum), units) -
      fields.limit
    );
  };
  return {
    ...named(name, { strategy: 'fixed-window', ...fields }, periodUs),
    over,
    mayDeny: (charges, more) => over(charges, more) > 0,
  };
}

/** At most the limit in each window, which begins with the first charge after the last window, or after all of one was given back. */
function anchored(name: string, fields: Fields, periodUs: number): RulePromise {
  const starts = new WeakMap<readonly Charge[], number>();
  const used = (charges: readonly Charge[], startUs: number): number =>
    charges.reduce((sum, charge) => (charge.atUs >= startUs ? sum + charge.units : sum), 0);
  const startOf = (charges: readonly Charge[], atUs: number): number => {
    const startUs = starts.get(charges);
    return startUs !== undefined && atUs < startUs + periodUs && used(charges, startUs) > 0 ? startUs : atUs;
  };
  const over = (charges: readonly Charge[], { atUs, units }: Charge): number =>
    used(charges, startOf(charges, atUs)) + units - fields.limit;
  return {
    ...named(name, { strategy: 'fixed-window', ...fields }, periodUs),
    over,
    mayDeny: (charges, more) => over(charges, more) > 0,
    note: (charges, atUs) => void starts.set(charges, startOf(charges, atUs)),
  };
}

/** At most the limit at once. */
function slots(name: string, fields: Fields, periodUs: number): RulePromise {
  const over = (charges: readonly Charge[], more: Charge): number =>
    charges.reduce((sum, { units }) => sum + units, more.units) - fields.limit;
  return { ...named(name, fields, periodUs), over, mayDeny: (charges, more) => over(charges, more) > 0 };
}

function named(name: string, fields: Fields, periodUs: number) {
  return { name, rule: { name: name.replaceAll(/\W+/g, '-'), scope: 'user', ...fields } satisfies Rule, periodUs };
}

function dateIn(timeZone: string, length: number): (atUs: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone });
  const known = new Map<number, string>();
  return (atUs) => {
    const date = known.get(atUs) ?? format.format(atUs / 1_000).slice(0, length);
    known.set(atUs, date);
    return date;
  };
}
