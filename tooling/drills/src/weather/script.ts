/**
 * The weather: which share of which provider's answers is spoiled, how, and for which messages.
 *
 * It goes by the number of the message, not by the clock, and each try of a message draws its own lot. So the same seed has the same weather in store for
 * the same try, on a fast machine and on a slow one.
 */
import { createSeededRandom } from '@sage-adk/core/testing';
import type { Behaviour } from '@sage-adk/llm/testing';
import { type FaultName, faultNames, faults } from './faults.ts';

/** In the order of the chain. */
export const providers = ['first', 'second', 'third'] as const;
export type Provider = (typeof providers)[number];

/** The chance of each fault. */
export type Shares = Readonly<Partial<Record<FaultName, number>>>;

export interface Phase {
  readonly name: string;
  /** Its part of the messages, in the same unit for all phases. */
  readonly length: number;
  /** What differs from the drizzle. */
  readonly weather?: Readonly<Partial<Record<Provider, Shares>>>;
  /** It is over before anybody tries again. @default false */
  readonly passes?: boolean;
}

/** What befalls one try; no fault where it goes well. */
export interface Lot {
  readonly fault: FaultName | undefined;
  readonly behaviour: Behaviour;
}

export interface Script {
  readonly phases: readonly Phase[];
  /** @param attempt which try of this message at this provider, counted from 1. */
  lotOf(provider: Provider, message: number, attempt: number): Lot;
  phaseOf(message: number): string;
}

export interface ScriptOptions {
  readonly seed: number;
  readonly messages: number;
  readonly phases?: readonly Phase[];
}

/** At every provider, at any time: 2 % of transient faults of all kinds, 0.2 % of permanent ones. */
export const drizzle: Shares = { ...share('transient', 0.02), ...share('permanent', 0.002), late: 0.02 };

const outage: Shares = { hang_up: 0.5, unavailable: 0.3, bad_gateway: 0.2 };
const burst: Shares = { ...drizzle, rate_limited: 0.6, rate_limited_unsaid: 0.2 };

/** In hundredths. A third of the messages fall into an outage of the first provider: it refuses, or it takes requests and says nothing. */
export const mixedWeather: readonly Phase[] = [
  { name: 'drizzle', length: 10 },
  { name: 'burst of 429', length: 6, weather: { first: burst } },
  { name: 'drizzle', length: 4 },
  { name: 'outage', length: 30, weather: { first: outage } },
  { name: 'drizzle', length: 6 },
  {
    name: 'brownout',
    length: 12,
    weather: { first: { ...drizzle, overloaded: 0.2, server_error: 0.1, sluggish: 0.4 } },
  },
  { name: 'burst of latency', length: 6, weather: { first: { ...drizzle, late: 0.5, silence: 0.01 } } },
  { name: 'drizzle', length: 2 },
  { name: 'outage of the second', length: 6, weather: { second: outage } },
  {
    name: 'bad lines',
    length: 5,
    weather: { first: { ...drizzle, cut_within: 0.1, malformed_within: 0.05, hang_up: 0.1 } },
  },
  { name: 'drizzle', length: 2 },
  { name: 'silence', length: 3, passes: true, weather: { first: { silence: 1 } } },
  { name: 'drizzle', length: 1 },
  { name: 'burst of 429 at two', length: 5, weather: { first: burst, second: { ...drizzle, rate_limited: 0.15 } } },
  { name: 'drizzle', length: 2 },
];

/** No provider answers anything. */
export const blackout: readonly Phase[] = [
  { name: 'blackout', length: 1, weather: { first: outage, second: outage, third: outage } },
];

export function createScript({ seed, messages, phases = mixedWeather }: ScriptOptions): Script {
  const total = phases.reduce((sum, { length }) => sum + length, 0);
  const ends = phases.map((_, index) =>
    Math.round((messages * phases.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0)) / total),
  );
  const at = (message: number): Phase | undefined => phases[ends.findIndex((end) => message < end)] ?? phases.at(-1);
  return {
    phases,
    phaseOf: (message) => at(message)?.name ?? '',
    lotOf(provider, message, attempt) {
      const random = createSeededRandom(hash(`${seed} ${provider} ${message} ${attempt}`));
      const { weather = {}, passes = false } = at(message) ?? {};
      const shares = (passes && attempt > 1 ? undefined : weather[provider]) ?? drizzle;
      let drawn = random();
      for (const fault of faultNames) {
        const chance = shares[fault] ?? 0;
        if (drawn < chance) return { fault, behaviour: faults[fault].behaviour(random) };
        drawn -= chance;
      }
      return { fault: undefined, behaviour: {} };
    },
  };
}

/** All faults of a kind, equally often. */
function share(kind: 'transient' | 'permanent', chance: number): Shares {
  const names = faultNames.filter((name) => faults[name].kind === kind);
  return Object.fromEntries(names.map((name) => [name, chance / names.length]));
}

/** FNV-1a, stirred once more: neighbours get seeds that have nothing in common. */
function hash(text: string): number {
  let sum = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x0100_0193);
  sum = Math.imul(sum ^ (sum >>> 16), 0x85eb_ca6b);
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2_ae35);
  return (sum ^ (sum >>> 16)) >>> 0;
}
