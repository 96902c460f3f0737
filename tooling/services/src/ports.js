import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports that no system hands out by itself: it does from 32,768 upwards on Linux and from 49,152 elsewhere. One of
 * those may be the near end of somebody's connection by the time that a server is to listen on it.
 */
const lowest = 10_240;
const highest = 32_767;

/** @type {Set<number>} */
const tried = new Set();

/**
 * A loopback port that nobody listens on, that no connection takes meanwhile, and that this process asks for once.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const port = randomInt(lowest, highest + 1);
    if (tried.has(port)) continue;
    tried.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port of 127.0.0.1 between ${lowest} and ${highest}`);
}

/**
 * A free port whose partner 10,000 higher, where a Redis Cluster node talks to its peers, is one such and free too.
 * @returns {Promise<number>}
 */
export async function freeClusterPort() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await freePort();
    if (port + 10_000 <= highest && (await isFree(port + 10_000))) return port;
  }
  throw new Error('no free pair of ports 10,000 apart');
}

/** @type {(port: number) => Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
