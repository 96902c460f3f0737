/** Traffic that limits have to stand: at, above and below what they admit, in bursts, and from somebody who knows where windows end. */
import { createSeededRandom } from '@sage-adk/core/testing';
import type { Call } from '../support/traffic.ts';

export interface Demand {
  /** What the limit is for. */
  readonly periodUs: number;
  /** Units that are admitted in a period. */
  readonly limit: number;
  /** Calls that would use them up. */
  readonly callsPerPeriod: number;
}

type Random = () => number;
type TrafficSet = (demand: Demand, random: Random) => Generator<Call, never>;

/** By name. The number of a Poisson set is the demand as a multiple of the limit. */
export const trafficSets = {
  'Poisson 0.8': poisson(0.8),
  'Poisson 1.2': poisson(1.2),
  'Poisson 2': poisson(2),
  'heavy-tailed costs': heavyTailed,
  bursts,
  'boundary attacker': attacker,
} satisfies Record<string, TrafficSet>;

export type TrafficName = keyof typeof trafficSets;

/** The same calls for the same seed. */
export function callsOf(name: TrafficName, demand: Demand, seed: number, count: number): Call[] {
  const calls = trafficSets[name](demand, createSeededRandom(seed));
  return Array.from({ length: count }, () => calls.next().value);
}

function poisson(load: number): TrafficSet {
  return function* ({ periodUs, limit, callsPerPeriod }, random) {
    const cost = Math.max(1, Math.round(limit / callsPerPeriod));
    for (;;) yield { gapUs: exponential(random, (periodUs * cost) / (limit * load)), cost };
  };
}

/** Twice the limit, of which a few calls ask for most: Pareto with exponent 1.2, cut at half of the limit. */
function* heavyTailed({ periodUs, limit, callsPerPeriod }: Demand, random: Random): Generator<Call, never> {
  const least = limit / callsPerPeriod / 4;
  for (;;) {
    const cost = Math.max(1, Math.min(Math.floor(limit / 2), Math.round(least / (1 - random()) ** (1 / 1.2))));
    yield { gapUs: exponential(random, (periodUs * cost) / (2 * limit)), cost };
  }
}

/** Up to twice the limit at one instant, then up to two periods of silence. */
function* bursts({ periodUs, limit, callsPerPeriod }: Demand, random: Random): Generator<Call, never> {
  const cost = Math.max(1, Math.round(limit / callsPerPeriod));
  for (;;) {
    yield { gapUs: Math.floor(random() * 2 * periodUs), cost };
    for (let more = Math.floor(random() * 2 * callsPerPeriod); more > 0; more--)
      yield { gapUs: Number(random() < 0.1), cost };
  }
}

/** Spends the limit a microsecond before a window ends and again when the next one begins, and asks for more all the time in between. */
function* attacker({ periodUs, limit, callsPerPeriod }: Demand, random: Random): Generator<Call, never> {
  const cost = Math.max(1, Math.round(limit / callsPerPeriod));
  // The traces start at a full period.
  let inPeriodUs = 0;
  for (;;) {
    const edgeUs = periodUs - 1 - inPeriodUs;
    const gapUs = exponential(random, periodUs / callsPerPeriod / 8);
    if (inPeriodUs + gapUs < periodUs - 1) {
      inPeriodUs += gapUs;
      yield { gapUs, cost };
      continue;
    }
    yield { gapUs: edgeUs, cost };
    for (let more = 1; more < callsPerPeriod; more++) yield { gapUs: 0, cost };
    yield { gapUs: 1, cost };
    for (let more = 1; more < callsPerPeriod; more++) yield { gapUs: 0, cost };
    inPeriodUs = 0;
  }
}

function exponential(random: Random, meanUs: number): number {
  return Math.round(-Math.log(1 - random()) * meanUs);
}
