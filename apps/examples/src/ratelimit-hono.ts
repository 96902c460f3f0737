/** Rate limits in Hono: a middleware, with the client's address from the server that runs the app. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { addressSubject, rateLimit } from '@sage-adk/ratelimit/hono';
import { type Context, Hono } from 'hono';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const limiter = createRateLimiter({ rules: [{ name: 'per_user', scope: 'user', limit: 2, per: 'minute' }] });

const app = new Hono();
app.use(
  rateLimit({ limiter, subjectOf: (context: Context) => addressSubject(getConnInfo(context).remote.address ?? '') }),
);
app.get('/', (context) => context.text('hello'));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

for (let request = 1; request <= 3; request++) {
  const response = await fetch(`http://127.0.0.1:${port}`, { headers: { accept: 'application/problem+json' } });
  console.log(`request ${request}: ${response.status}, ${await response.text()}`);
}

server.close();
await limiter.close();
await logger.close();
