// A process that waits in a queue and does nothing else. Prints whether it was admitted when the limit had room, and when it had not in time.
import { createRateLimiter } from '../../src/index.ts';
import { createLimiterQueue } from '../../src/queue/limiter-queue.ts';

const limiter = createRateLimiter({ rules: [{ name: 'all', scope: 'global', limit: 10, per: 'second', burst: 1 }] });
const queue = createLimiterQueue({ limiter });
await queue.acquire({});
const admitted = await queue.acquire({});
const denied = await queue.acquire({}, {}, { maxWaitMs: 20 });
process.stdout.write(`${admitted.allowed} ${denied.allowed}\n`);
