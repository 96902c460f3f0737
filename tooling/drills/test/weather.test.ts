import { beforeAll, describe, expect, test } from '@jest/globals';
import { agrees } from '../src/weather/agreement.ts';
import { blackout } from '../src/weather/script.ts';
import { bounds, broken, weather, type WeatherResult } from '../src/weather/weather.ts';

/** The long form: `pnpm drill:weather`. */
const messages = 1_000;
const ratePerSecond = 80;
const seed = Number(process.env['SAGE_DRILL_SEED'] ?? 1);
/** For a machine that has much else to do. */
const timeoutMs = 300_000;

function expectAgreement({ agreement, exitCode }: WeatherResult): void {
  const { tries, ...others } = agreement;
  expect(Object.entries(others).filter(([, pair]) => !agrees(pair))).toEqual([]);
  // A busy machine may give a try up before its provider has read it.
  expect(tries.agent).toBeGreaterThanOrEqual(tries.seen);
  expect(tries.agent).toBeLessThanOrEqual(1.02 * tries.seen);
  expect(exitCode).toBe(0);
}

describe(`an agent on three providers under the weather (seed ${seed})`, () => {
  let result: WeatherResult;
  beforeAll(async () => {
    result = await weather({ seed, messages, ratePerSecond });
    console.info(JSON.stringify({ ...result.ratios, restarted: result.restarted, problems: result.problems }));
  }, timeoutMs);

  test('ER25: of the messages with a transient error, 99 % are answered by a model', () => {
    const { recovered } = result.ratios;
    expect(recovered.of).toBeGreaterThan(messages / 10);
    expect(recovered.ratio).toBeGreaterThanOrEqual(bounds.recovered);
  });

  test('ER26: of the messages that went to a fallback, 99 % are answered by a model', () => {
    const { fallback } = result.ratios;
    expect(fallback.of).toBeGreaterThan(messages / 10);
    expect(fallback.ratio).toBeGreaterThanOrEqual(bounds.fallback);
  });

  test('ER27: no more than 0.5 % of the messages are dead letters', () => {
    expect(result.ratios.deadLetters.ratio).toBeLessThanOrEqual(bounds.deadLetters);
  });

  test('ER28: no more than 0.1 % of the users see an error, and 1 % an answer of no model', () => {
    expect(broken(result)).toEqual([]);
    expect(result.problems.length).toBeLessThanOrEqual(messages * bounds.userErrors);
  });

  test('the agent counts what its users and its providers count', () => expectAgreement(result));

  test('it was hit by many kinds of faults', () => {
    expect(Object.keys(result.byFault).length).toBeGreaterThan(8);
  });
});

describe('what the drill would find out', () => {
  test('ER28: without recovery the same weather is seen by more than a tenth of the users', async () => {
    const result = await weather({ seed, messages: 100, ratePerSecond, recovers: false });
    expect(result.ratios.userErrors.ratio).toBeGreaterThan(0.1);
    expect(result.ratios.deadLetters.count).toBe(result.ratios.userErrors.count);
    expect(broken(result)).toEqual(['recovered', 'fallback', 'deadLetters', 'userErrors']);
    expectAgreement(result);
  }, 300_000);

  test('ER25 ER26: where no provider answers, default messages count as nothing but degraded', async () => {
    const { ratios, ...result } = await weather({ seed, messages: 40, ratePerSecond, phases: blackout });
    expect(ratios).toMatchObject({ recovered: { count: 0 }, fallback: { of: 40, count: 0 }, degraded: { count: 40 } });
    expect(ratios.userErrors.count).toBe(0);
    expectAgreement({ ratios, ...result });
  }, 300_000);
});
