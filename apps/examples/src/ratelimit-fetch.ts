/** Rate limits around a handler from Request to Response, as Next.js, Bun, Deno and Workers have them. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { rateLimit } from '@sage-adk/ratelimit/fetch';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const limiter = createRateLimiter({ rules: [{ name: 'per_user', scope: 'user', limit: 2, per: 'minute' }] });

// A Request doesn't say who sent it: here one proxy of ours stands before the server and writes X-Forwarded-For.
const handler = rateLimit(() => Response.json({ answer: 'hello' }), { limiter, trustedProxies: 1, headers: 'ietf' });
const server = serve({ fetch: handler, port: 0, hostname: '127.0.0.1' });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

for (let request = 1; request <= 3; request++) {
  const response = await fetch(`http://127.0.0.1:${port}`, { headers: { 'x-forwarded-for': '198.51.100.7' } });
  console.log(`request ${request}: ${response.status}, ${response.headers.get('ratelimit')}, ${await response.text()}`);
}

server.close();
await limiter.close();
await logger.close();
