import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freeClusterPort, freePort } from '../src/ports.js';

/** The lowest port that Linux gives to a connection whose near end names none. */
const lowestOfConnections = 32_768;

test('a free port is told once, and no connection takes it by chance', async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, freePort));
  expect(new Set(ports).size).toBe(200);
  for (const port of ports) expect(port).toBeLessThan(lowestOfConnections);
  const server = createServer().listen(ports[0], '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('a free cluster port has a partner that no connection takes either', async () => {
  expect((await freeClusterPort()) + 10_000).toBeLessThan(lowestOfConnections);
});
