/** Writes lines and ends at once, in the way and to the output that the arguments name. */
import { createNativeBackend } from '../../src/backends/native.ts';
import { createPinoBackend } from '../../src/backends/pino.ts';
import { createLogger, createWinstonBackend } from '../../src/index.ts';

const [count, way, output] = process.argv.slice(2);
// Node makes a pipe non-blocking when its stream is first used.
if (output === 'non-blocking') process.stdout.write('');
const backends =
  output === undefined || output === 'non-blocking'
    ? [createWinstonBackend()]
    : [
        createWinstonBackend({ filePath: `${output}.winston` }),
        createNativeBackend({ filePath: `${output}.native` }),
        createNativeBackend({ filePath: `${output}.turn`, flush: 'turn' }),
        createWinstonBackend({ filePath: `${output}.winston-turn`, flush: 'turn' }),
        createPinoBackend({ filePath: `${output}.pino` }),
      ];
const loggers = backends.map((backend) => createLogger({ backend }));
process.stderr.write('ready');
for (const logger of loggers) for (let n = 1; n < Number(count); n++) logger.info('a line', { n });

const ends: Readonly<Record<string, () => void>> = {
  'process.exit': () => process.exit(1),
  'an uncaught error': () => {
    throw new Error('nobody catches this');
  },
  'an unhandled rejection': () => void Promise.reject(new Error('nobody handles this')),
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  SIGINT: () => process.kill(process.pid, 'SIGINT'),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
  'a fatal line': () => process.exit(1),
  'close()': () => loggers.forEach((logger) => void logger.close()),
};
for (const logger of loggers) {
  if (way === 'a fatal line') logger.fatal('the last line', { n: Number(count) });
  else logger.info('the last line', { n: Number(count) });
}
ends[way ?? '']?.();
