import { describe, expect, test } from '@jest/globals';
import { createSeededRandom } from '@sage-adk/core/testing';
import { type Front, storm } from '../../src/testing/index.ts';
import { checkWeather, strike } from '../../src/testing/weather.ts';
import { start } from './support/start.ts';

describe('weather', () => {
  test('strikes as often as its chances say', () => {
    const weather: readonly Front[] = [
      { chance: 0.2, behaviour: { status: 429 } },
      { chance: 0.05, behaviour: { status: 503 } },
    ];
    const random = createSeededRandom(7);
    const struck = Array.from({ length: 20_000 }, () => strike(weather, random)?.status);
    expect(struck.filter((status) => status === 429).length / struck.length).toBeCloseTo(0.2, 1);
    expect(struck.filter((status) => status === 503).length / struck.length).toBeCloseTo(0.05, 1);
    expect(struck.filter((status) => status === undefined).length / struck.length).toBeCloseTo(0.75, 1);
  });

  test('a front may draw what it does', () => {
    const weather: readonly Front[] = [{ chance: 1, behaviour: (random) => ({ latencyMs: random() * 100 }) }];
    const random = createSeededRandom(1);
    expect(strike(weather, random)?.latencyMs).not.toBe(strike(weather, random)?.latencyMs);
  });

  test('chances that are no chances, or more than one together, are refused', () => {
    expect(() => checkWeather([{ chance: 1.5, behaviour: {} }])).toThrow(/weather\.chance/);
    expect(() =>
      checkWeather([
        { chance: 0.6, behaviour: {} },
        { chance: 0.6, behaviour: {} },
      ]),
    ).toThrow(/at most 1/);
    expect(() => checkWeather([{ chance: 0.5, behaviour: { status: 200 } }])).toThrow(/status/);
    expect(checkWeather(storm(1))).toHaveLength(14);
    expect(() => storm(-1)).toThrow(/chance/);
  });

  test('a storm does each of its things', () => {
    const random = createSeededRandom(3);
    const seen = new Set(
      Array.from({ length: 2_000 }, () => JSON.stringify(Object.keys(strike(storm(1), random) ?? {}))),
    );
    expect(seen.size).toBeGreaterThan(7);
  });

  test('the same seed gives the same weather to the same requests, also after a reset', async () => {
    const weather = [{ chance: 0.5, behaviour: { status: 503 } }];
    const one = await start({ seed: 42, weather });
    const other = await start({ seed: 42, weather });
    const third = await start({ seed: 43, weather });
    const first = await statuses(one.url);
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await statuses(other.url)).toEqual(first);
    expect(await statuses(third.url)).not.toEqual(first);
    one.reset();
    expect(await statuses(one.url)).toEqual(first);
  });

  test('it can change, and spares what was queued', async () => {
    const provider = await start();
    provider.changeWeather([{ chance: 1, behaviour: { status: 503 } }]);
    provider.next({ retryAfterMs: 1 });
    expect((await statuses(provider.url)).slice(0, 3)).toEqual([200, 503, 503]);
    provider.changeWeather([]);
    expect((await statuses(provider.url))[0]).toBe(200);
  });
});

async function statuses(url: string): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let count = 0; count < 16; count++) {
    const response = await fetch(`${url}/v1/models`);
    await response.text();
    seen.push(response.status);
  }
  return seen;
}
