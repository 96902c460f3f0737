import { createPostgresDeadLetters } from '../postgres/index.ts';
import { createRedisDeadLetters } from '../redis/index.ts';
import type { DeadLetterStore } from '../store.ts';
import type { CommandLine } from './command-line.ts';

export interface OpenedStore {
  readonly store: DeadLetterStore;
  close(): Promise<void>;
}

const deadlineMs = 10_000;

/** Connects to the store that the command line or the environment names. Its driver is loaded only now. */
export async function openStore(
  line: Pick<CommandLine, 'url' | 'queue' | 'prefix' | 'schema'>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<OpenedStore> {
  const { REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl } = environment;
  if (line.url === undefined && redisUrl !== undefined && postgresUrl !== undefined) {
    throw new Error('Both REDIS_URL and POSTGRES_URL are set; say which one with --url.');
  }
  const url = line.url ?? redisUrl ?? postgresUrl;
  if (url === undefined) throw new Error('No store: give --url, or set REDIS_URL or POSTGRES_URL.');
  if (/^rediss?:/.test(url)) return openRedis(url, line);
  if (/^postgres(ql)?:/.test(url)) return openPostgres(url, line);
  throw new Error('The URL of the store must start with redis://, rediss://, postgres:// or postgresql://.');
}

async function openRedis(url: string, { queue, prefix }: Pick<CommandLine, 'queue' | 'prefix'>): Promise<OpenedStore> {
  const { createClient } = await import('redis');
  const client = createClient({ url, socket: { connectTimeout: deadlineMs, reconnectStrategy: false } });
  // The command that fails says it.
  client.on('error', () => {});
  await client.connect();
  const store = createRedisDeadLetters({ client, queue, deadlineMs, ...(prefix !== undefined && { prefix }) });
  return {
    store,
    async close() {
      await client.close();
    },
  };
}

async function openPostgres(
  url: string,
  { queue, schema }: Pick<CommandLine, 'queue' | 'schema'>,
): Promise<OpenedStore> {
  const [{ default: postgres }, { fromPostgres }] = await Promise.all([
    import('postgres'),
    import('@sage-adk/core/postgres'),
  ]);
  const sql = postgres(url, { max: 2, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql, { deadlineMs });
  const store = createPostgresDeadLetters({ client, queue, ...(schema !== undefined && { schema }) });
  return {
    store,
    async close() {
      await sql.end({ timeout: 1 });
    },
  };
}
