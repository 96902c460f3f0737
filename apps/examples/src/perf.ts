/** A bounded worker pool: two tasks run, two wait, one more is told when to come back. */
import { isSageError } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createWorkerPool } from '@sage-adk/perf';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const pool = createWorkerPool({ concurrency: 2, queueSize: 2 });

async function handle(name: string): Promise<string> {
  try {
    return await pool.run(async () => {
      await sleep(20);
      return `${name} handled`;
    });
  } catch (error) {
    if (isSageError(error)) return `${name} refused: come back in ${Math.ceil(error.retryAfterMs ?? 0)} ms`;
    throw error;
  }
}

console.log(await Promise.all(['first', 'second', 'third', 'fourth', 'fifth'].map(handle)));
console.log(pool.stats());
await pool.close();
await logger.close();
