/** Limits of concurrency in front of a node:http server: a slot is held until its response is over, sent or cut, and comes back then. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { rateLimit } from '@sage-adk/ratelimit/node';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const limiter = createRateLimiter({ rules: [{ name: 'at_once', scope: 'user', unit: 'concurrency', limit: 1 }] });
const release = Promise.withResolvers<void>();
const listener = rateLimit(
  async (_request, response) => {
    await release.promise;
    response.end('hello');
  },
  { limiter, hold: true },
);
const server = createServer(listener).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const entered = once(server, 'request');
const first = fetch(url);
await entered;
const second = await fetch(url);
console.log(`while the first is answered, the second gets ${second.status}`);
release.resolve();
console.log(`the first gets ${(await first).status}: ${await (await first).text()}`);
const third = await fetch(url);
console.log(`then the third gets ${third.status}: ${await third.text()}`);

server.close();
server.closeAllConnections();
await limiter.close();
await logger.close();
