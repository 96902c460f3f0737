/** The long form of the drill: prints what happened, writes docs/results/weather.json, and fails where a promise was not kept. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { agrees } from './agreement.ts';
import { blackout, drizzle, mixedWeather } from './script.ts';
import { bounds, broken, weather, type WeatherResult } from './weather.ts';

const seed = Number(process.env['SAGE_DRILL_SEED'] ?? 1);
const messages = Number(process.env['SAGE_DRILL_MESSAGES'] ?? 10_000);
const ratePerSecond = 50;

const isAgreed = ({ agreement }: WeatherResult): boolean => Object.values(agreement).every(agrees);
const withRecovery = await weather({ seed, messages, ratePerSecond });
const withoutRecovery = await weather({ seed, messages: Math.ceil(messages / 10), ratePerSecond, recovers: false });
const inBlackout = await weather({ seed, messages: 100, ratePerSecond, phases: blackout });

const passed =
  broken(withRecovery).length === 0 &&
  [withRecovery, withoutRecovery, inBlackout].every(isAgreed) &&
  withoutRecovery.ratios.userErrors.ratio > 10 * bounds.userErrors &&
  inBlackout.ratios.degraded.ratio > 0.9;
const record = {
  topic: 'The weather: an agent on three providers that fail by a script',
  passed,
  bounds,
  ratePerSecond,
  withRecovery,
  withoutRecovery,
  inBlackout,
  script: { drizzle, phases: mixedWeather },
};
const text = `${JSON.stringify(record, undefined, 2)}\n`;
const folder = new URL('../../../../docs/results/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('weather.json', folder), text);
process.stdout.write(text);
process.exitCode = passed ? 0 : 1;
