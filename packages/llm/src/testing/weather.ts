import { type Random, requireNumber, requireOption } from '@sage-adk/core';
import { type Behaviour, checkBehaviour } from './behaviour.ts';

/** Something that happens to a share of the requests. */
export interface Front {
  /** The share, from 0 to 1. */
  readonly chance: number;
  /** What happens; the function form may draw more, such as where a stream is cut. */
  readonly behaviour: Behaviour | ((random: Random) => Behaviour);
}

/** Refuses shares that together are more than all requests; returns the fronts otherwise. */
export function checkWeather(weather: readonly Front[]): readonly Front[] {
  for (const { chance, behaviour } of weather) {
    requireNumber('weather.chance', chance, 0, 1);
    if (typeof behaviour !== 'function') checkBehaviour(behaviour);
  }
  const sum = weather.reduce((total, { chance }) => total + chance, 0);
  // A dozen thirds of a tenth are a little more than they should be.
  requireOption('the sum of weather.chance', sum, 'at most 1', (total) => total <= 1 + 1e-9);
  return weather;
}

/** What the weather does to the next request; undefined for nothing. One draw decides which front it is. */
export function strike(weather: readonly Front[], random: Random): Behaviour | undefined {
  let drawn = random();
  for (const { chance, behaviour } of weather) {
    if (drawn < chance) return typeof behaviour === 'function' ? checkBehaviour(behaviour(random)) : behaviour;
    drawn -= chance;
  }
  return undefined;
}

/**
 * A bit of everything that goes wrong with providers: something happens to `chance` of all requests, one of fourteen things, all equally often.
 * Five of them are in the middle of a stream and leave other answers as they are; one of these stalls until the client leaves.
 *
 * @example
 * ```ts
 * const provider = await createFaultyProvider({ seed: 7, weather: storm(0.3) });
 * ```
 */
export function storm(chance: number): readonly Front[] {
  requireNumber('chance', chance, 0, 1);
  return faults.map((behaviour) => ({ chance: chance / faults.length, behaviour }));
}

const faults: readonly Front['behaviour'][] = [
  { error: 'rate_limit', retryAfterMs: 50 },
  { error: 'rate_limit' },
  { error: 'overloaded' },
  { error: 'server_error' },
  { error: 'unavailable', retryAfterMs: 20 },
  { error: 'bad_gateway' },
  { hangUp: true },
  { errorEventAt: { contents: 0 } },
  (random) => ({ errorEventAt: { contents: somewhere(random) }, errorForm: 'ending' }),
  { cutAfter: { contents: 0 } },
  (random) => ({ cutAfter: { contents: somewhere(random) } }),
  (random) => ({ endAfter: { contents: somewhere(random) } }),
  (random) => ({ malformedAt: { contents: somewhere(random) } }),
  (random) => ({ stallAfter: { contents: somewhere(random) }, keepAliveMs: 50 }),
];

/** After one to four pieces of content. */
function somewhere(random: Random): number {
  return 1 + Math.floor(random() * 4);
}
