import { createServer } from 'node:net';

/**
 * A loopback port that nothing listened on a moment ago.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

/**
 * A free port whose partner 10,000 higher, where a Redis Cluster node talks to its peers, exists and is free too.
 * @returns {Promise<number>}
 */
export async function freeClusterPort() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await freePort();
    if (port <= 55_535 && (await isFree(port + 10_000))) return port;
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
