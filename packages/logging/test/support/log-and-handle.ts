/** Logs once a turn, handles SIGTERM itself, and goes on for a turn. */
import { createNativeBackend } from '../../src/backends/native.ts';
import { createLogger } from '../../src/index.ts';

const logger = createLogger({ backend: createNativeBackend({ filePath: process.argv[2] ?? '', flush: 'turn' }) });
process.on('SIGTERM', () => {
  logger.info('handled');
  setImmediate(() => {
    logger.info('after');
    process.exit(7);
  });
});
// Keeps the process alive until the signal comes.
setTimeout(() => process.exit(1), 30_000);
logger.info('before');
process.kill(process.pid, 'SIGTERM');
