/**
 * The long form of the drill, `SAGE_DRILL_SECONDS` (1800) with one kill in their middle, each of eight clients asking again after `SAGE_DRILL_PAUSE_MS` (20): prints what happened, writes docs/results/metrics-delivery.json, and fails
 * where an end under SIGTERM loses anything, the kill more than one interval, or less than 99.9 % of half an hour are delivered.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { deliver } from './deliver.ts';

const halfHour = 1_800;
const seconds = Number(process.env['SAGE_DRILL_SECONDS'] ?? halfHour);
const pauseMs = Number(process.env['SAGE_DRILL_PAUSE_MS'] ?? 20);
const lives = await deliver({ endings: ['SIGKILL', 'SIGTERM'], lifeSeconds: seconds / 2, clients: 8, pauseMs });
const answered = lives.reduce((sum, life) => sum + life.answered, 0);
const lost = lives.reduce((sum, life) => sum + life.lost, 0);
const ran = lives.reduce((sum, life) => sum + life.seconds, 0);
// A kill loses the same in a shorter run; over half an hour it is a smaller share.
const deliveredOfHalfHour = 1 - lost / ((answered / ran) * Math.max(ran, halfHour));
const passed =
  deliveredOfHalfHour >= 0.999 &&
  lives.every(({ ending, lost: own, perInterval }) => own <= (ending === 'SIGTERM' ? 0 : perInterval));
const record = {
  topic: 'Delivery of metrics pushed each second, with a kill and an end under load',
  date: new Date().toISOString(),
  node: process.version,
  passed,
  requirements: { OC8: passed },
  seconds: Number(ran.toFixed(1)),
  answered,
  lost,
  deliveredOfRun: Number((1 - lost / answered).toFixed(6)),
  deliveredOfHalfHour: Number(deliveredOfHalfHour.toFixed(6)),
  lives,
};
const text = `${JSON.stringify(record, undefined, 2)}\n`;
const folder = new URL('../../../../docs/results/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('metrics-delivery.json', folder), text);
process.stdout.write(text);
process.exitCode = passed ? 0 : 1;
