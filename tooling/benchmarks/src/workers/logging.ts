/**
 * Prints the CPU cost of one line with three fields of the request and one of its own: ours, winston's and pino's, each into a file of its own.
 *
 * Each writes the time, the level, the message and the four fields; ours the severity as well, pino the process and the host. What is compared does the
 * same work: pino and ours hand each line to the operating system before the call returns; winston alone and ours once a turn collect lines and write them
 * together.
 */
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createWinstonBackend } from '@sage-adk/logging';
import { createNativeBackend } from '@sage-adk/logging/native';
import { pino } from 'pino';
import winston from 'winston';
import { measure } from '../harness/measure.ts';

const folder = mkdtempSync(join(tmpdir(), 'sage-bench-logging-'));
const fields = { request_id: 'r-123456', trace_id: '0af7651916cd43dd8448eb211c80319c', agent_id: 'weather' };
const path = (name: string): string => join(folder, name);

const native = createLogger({ backend: createNativeBackend({ filePath: path('native') }) }).child(fields);
const turnBackend = createNativeBackend({ filePath: path('turn'), flush: 'turn' });
const turn = createLogger({ backend: turnBackend }).child(fields);
const through = createLogger({ filePath: path('winston-ours') }).child(fields);
const throughTurnBackend = createWinstonBackend({ filePath: path('winston-turn'), flush: 'turn' });
const throughTurn = createLogger({ backend: throughTurnBackend }).child(fields);
const { combine, json, timestamp } = winston.format;
const winstonFile = new winston.transports.File({ filename: path('winston') });
const winstonAlone = winston
  .createLogger({ format: combine(timestamp(), json()), transports: winstonFile })
  .child(fields);
const pinoAlone = pino(pino.destination({ dest: openSync(path('pino'), 'a'), sync: true })).child(fields);

let calibrated = 0;
const threshold = { level: 9 };
function calibrate(limit: typeof threshold, level: number): number {
  if (level >= limit.level) throw new RangeError(`${level}`);
  return level;
}

const lines = await measure(
  [
    {
      name: 'ours native',
      run: (count) => {
        for (let i = 0; i < count; i++) native.info('a line', { n: i });
      },
    },
    {
      name: 'ours native, once a turn',
      async run(count) {
        for (let i = 0; i < count; i++) turn.info('a line', { n: i });
        await turnBackend.flush();
      },
    },
    {
      name: 'ours through winston',
      run: (count) => {
        for (let i = 0; i < count; i++) through.info('a line', { n: i });
      },
    },
    {
      name: 'ours through winston, once a turn',
      async run(count) {
        for (let i = 0; i < count; i++) throughTurn.info('a line', { n: i });
        await throughTurnBackend.flush();
      },
    },
    {
      name: 'pino',
      run: (count) => {
        for (let i = 0; i < count; i++) pinoAlone.info({ n: i }, 'a line');
      },
    },
    {
      name: 'winston alone',
      async run(count) {
        for (let i = 0; i < count; i++) winstonAlone.info('a line', { n: i });
        // It writes later: the work counts where it is done.
        while (winstonFile.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      },
    },
  ],
  2_000,
  21,
);
const off = await measure(
  [
    {
      name: 'ours, level off',
      run: (count) => {
        for (let i = 0; i < count; i++) native.debug('a line');
      },
    },
    {
      name: 'calibration',
      run: (count) => {
        for (let i = 0; i < count; i++) calibrated += calibrate(threshold, i & 7);
      },
    },
  ],
  1_000_000,
  9,
);
if (calibrated < 0) throw new Error('not reached');
rmSync(folder, { recursive: true });
console.log(JSON.stringify(Object.fromEntries([...lines, ...off].map(([name, { medianNs }]) => [name, medianNs]))));
process.exit(0);
