/** Logs once a turn, and once more in an `exit` handler; or handles SIGTERM once, as it did before there was a logger. */
import { createNativeBackend } from '../../src/backends/native.ts';
import { createLogger } from '../../src/index.ts';

const [filePath = '', way] = process.argv.slice(2);
if (way === 'once') {
  process.once('SIGTERM', () => {
    logger.info('handled');
    setTimeout(() => {
      logger.info('ended');
      process.exit(7);
    }, 20);
  });
}
const logger = createLogger({ backend: createNativeBackend({ filePath, flush: 'turn' }) });
logger.info('before');
if (way === 'once') {
  // Keeps the process alive until the signal comes.
  setTimeout(() => process.exit(1), 30_000);
  process.kill(process.pid, 'SIGTERM');
} else {
  process.on('exit', () => logger.info('at exit'));
  process.exitCode = 7;
}
