/** Logs 40,000 lines into a standard output that nobody reads, through the backend of the argument, and tells what that took. */
import { setImmediate } from 'node:timers/promises';
import { sources } from '@sage-adk/core';
import { createPinoBackend } from '../../src/backends/pino.ts';
import { createLogger } from '../../src/index.ts';

const lines = 40_000;
process.stdout.write('');
const logger = createLogger(process.argv[2] === 'pino' ? { backend: createPinoBackend() } : {});
const usedBytes = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = usedBytes();
for (let n = 0; n < lines; n++) {
  logger.info('a line that nobody reads, and that is long enough to fill a pipe soon', { n });
  // winston's streams let go of a line when the loop turns.
  if (n % 100 === 99) await setImmediate();
}
await setImmediate();
const grownBytes = usedBytes() - before;
const { written = 0, failed = 0 } =
  sources()
    .find(({ name }) => name === 'logging')
    ?.read() ?? {};
process.send?.({ lines, counted: written + failed, failed, grownBytes });
