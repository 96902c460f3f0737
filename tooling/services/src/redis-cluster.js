// A Redis Cluster of masters on loopback.
import { freeClusterPort } from './ports.js';
import { startOwnRedis } from './redis.js';
import { redisCommand } from './resp.js';
import { eventually } from './server.js';
import { messageOf } from './sources.js';

/** @typedef {import('./index.d.ts').Server} Server */

const slots = 16_384;

/** @type {typeof import('./index.d.ts').startRedisCluster} */
export async function startRedisCluster({ nodes: size = 3, args = [] } = {}) {
  if (!Number.isInteger(size) || size < 3) throw new RangeError(`nodes is ${size}; a cluster has at least 3`);
  const clusterArgs = [
    '--save',
    '',
    '--appendonly',
    'no',
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '2000',
    ...args,
  ];
  const results = await Promise.all(
    Array.from({ length: size }, () => startOwnRedis({ args: () => clusterArgs, pickPort: freeClusterPort })),
  );
  /** @type {Server[]} */
  const nodes = [];
  for (const result of results) if (!('skipped' in result)) nodes.push(result);
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const missing = results.find((result) => 'skipped' in result);
  try {
    if (missing) throw new Error(missing.skipped);
    await join(nodes);
  } catch (error) {
    await stop();
    return { skipped: messageOf(error) };
  }
  return { nodes, urls: nodes.map(({ url }) => url), stop, [Symbol.asyncDispose]: stop };
}

/** @type {(nodes: readonly Server[]) => Promise<void>} */
async function join(nodes) {
  const share = Math.ceil(slots / nodes.length);
  for (const [index, { port }] of nodes.entries()) {
    const first = index * share;
    const own = Array.from({ length: Math.min(share, slots - first) }, (_, slot) => first + slot);
    await redisCommand(port, 'CLUSTER', 'ADDSLOTS', ...own);
    // Different epochs from the start, or the nodes first have to settle who is older.
    await redisCommand(port, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first, ...others] = nodes;
  for (const { port } of others) await redisCommand(port, 'CLUSTER', 'MEET', '127.0.0.1', first?.port ?? 0);
  for (const { port } of nodes) {
    await eventually(async () => {
      const info = String(await redisCommand(port, 'CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}\r`);
    }, 'cluster_state:ok');
  }
}
