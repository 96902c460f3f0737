/** Recovery: a call that fails twice is tried again, each try told of; one that cannot succeed is not. */
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRetry } from '@sage-adk/recovery';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const retry = createRetry({ maxAttempts: 3, baseMs: 20, idempotent: true });

const answer = await retry.execute(
  async ({ attempt }) => {
    if (attempt < 3) throw Object.assign(new Error('overloaded'), { status: 503 });
    return `answered at try ${attempt}`;
  },
  { dependency: 'model' },
);
console.log(answer);

const refusal: unknown = await retry
  .execute(() => Promise.reject(Object.assign(new Error('wrong key'), { status: 401 })), { dependency: 'model' })
  .catch((error: unknown) => error);
console.log(`not tried again: ${String(refusal)}`);
await logger.close();
