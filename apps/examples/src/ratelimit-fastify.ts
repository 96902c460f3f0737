/** Rate limits in Fastify: a plugin for its scope, other limits for one route and none for another. */
import type { AddressInfo } from 'node:net';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { rateLimit, routeLimit } from '@sage-adk/ratelimit/fastify';
import Fastify from 'fastify';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const limiter = createRateLimiter({ rules: [{ name: 'per_user', scope: 'user', limit: 10, per: 'minute' }] });

const app = Fastify();
await app.register(rateLimit, { limiter, headers: 'both' });
app.get('/chat', { config: routeLimit({ costOf: () => ({ requests: 5 }) }) }, () => 'hello');
app.get('/health', { config: routeLimit(false) }, () => 'well');
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;

for (const path of ['/chat', '/chat', '/chat', '/health']) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  console.log(`${path}: ${response.status}, ${response.headers.get('ratelimit')}, ${await response.text()}`);
}

await app.close();
await limiter.close();
await logger.close();
