/** Calls that wait for room in a fair order: who asks for much waits for themselves. */
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { createLimiterQueue } from '@sage-adk/ratelimit/queue';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

// One call at a time, for all users together.
const limiter = createRateLimiter({ rules: [{ name: 'model', scope: 'global', unit: 'concurrency', limit: 1 }] });
const queue = createLimiterQueue({ limiter });
const call = (user: string) =>
  queue.run({ user }, undefined, async () => {
    console.log(`${user} is served`);
    return { value: undefined };
  });

// The fifth call is the first of another user: it does not wait behind all four.
await Promise.all(['ada', 'ada', 'ada', 'ada', 'bob'].map(call));

await queue.close();
await limiter.close();
await logger.close();
