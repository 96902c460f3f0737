/** Rate limits in Express: a middleware for all routes, and one of its own for the costly one. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { admissionOf, rateLimit } from '@sage-adk/ratelimit/express';
import express from 'express';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const everywhere = createRateLimiter({ rules: [{ name: 'per_user', scope: 'user', limit: 100, per: 'minute' }] });
const costly = createRateLimiter({ rules: [{ name: 'chat', scope: 'user', limit: 2, per: 'minute' }] });

const app = express();
app.use(rateLimit({ limiter: everywhere }));
app.get('/chat', rateLimit({ limiter: costly }), (request, response) => {
  response.send(`hello, ${admissionOf(request, everywhere)?.decision.remaining} left elsewhere`);
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

for (let request = 1; request <= 3; request++) {
  const response = await fetch(`http://127.0.0.1:${port}/chat`);
  const remaining = response.headers.get('x-ratelimit-remaining');
  console.log(`request ${request}: ${response.status}, ${remaining} left, ${await response.text()}`);
}

server.close();
server.closeAllConnections();
await Promise.all([everywhere.close(), costly.close()]);
await logger.close();
