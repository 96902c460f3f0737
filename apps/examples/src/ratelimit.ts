/** Rate limits in front of an HTTP server: the third request of a user within a minute is answered with 429. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { createGuard } from '@sage-adk/ratelimit/node';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const limiter = createRateLimiter({ rules: [{ name: 'per_user', scope: 'user', limit: 2, per: 'minute' }] });
const guard = createGuard({ limiter });
const server = createServer((request, response) => {
  if (guard(request, response).allowed) response.end('hello\n');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

for (let request = 1; request <= 3; request++) {
  const response = await fetch(`http://127.0.0.1:${port}`);
  const remaining = response.headers.get('x-ratelimit-remaining');
  console.log(`request ${request}: ${response.status}, ${remaining} left, ${(await response.text()).trim()}`);
}

server.close();
server.closeAllConnections();
await limiter.close();
await logger.close();
