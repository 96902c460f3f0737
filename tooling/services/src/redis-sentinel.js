// A primary, its replica and the sentinel that watches them.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnRedis } from './redis.js';
import { redisCommand } from './resp.js';
import { eventually } from './server.js';
import { messageOf, started } from './sources.js';

const name = 'primary';
const dataArgs = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];

/** @type {typeof import('./index.d.ts').startRedisSentinel} */
export async function startRedisSentinel({ downAfterMs = 500 } = {}) {
  const primary = await startOwnRedis({ args: () => dataArgs });
  if ('skipped' in primary) return primary;
  const servers = [primary];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const replica = started(
      await startOwnRedis({ args: () => [...dataArgs, '--replicaof', '127.0.0.1', `${primary.port}`] }),
    );
    servers.push(replica);
    await eventually(
      async () => String(await redisCommand(replica.port, 'INFO', 'replication')).includes('master_link_status:up'),
      'replication',
    );

    const sentinel = started(
      await startOwnRedis({ args: (folder) => [configFile(folder, primary.port, downAfterMs), '--sentinel'] }),
    );
    servers.push(sentinel);
    await eventually(async () => {
      const replicas = await redisCommand(sentinel.port, 'SENTINEL', 'REPLICAS', name);
      return Array.isArray(replicas) && replicas.length === 1;
    }, 'the sentinel finding the replica');
    return { name, primary, replica, sentinel, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    return { skipped: messageOf(error) };
  }
}

/**
 * A sentinel keeps what it learns in its configuration, so it needs a file to write to.
 * @type {(folder: string, port: number, downAfterMs: number) => string}
 */
function configFile(folder, port, downAfterMs) {
  const path = join(folder, 'sentinel.conf');
  if (existsSync(path)) return path;
  const lines = [
    `sentinel monitor ${name} 127.0.0.1 ${port} 1`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
