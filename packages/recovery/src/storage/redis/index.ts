/** Entries in Redis, all of a namespace in one slot of a cluster. */
import {
  type Clock,
  type Entry,
  type KeyValueStore,
  type ListOptions,
  type Page,
  requireNumber,
  requireOption,
  requireWhole,
  type SetOptions,
  type StoreCallOptions,
} from '@sage-adk/core';
import { createScriptRunner, type RedisCommands, type RedisScript } from '@sage-adk/core/redis';
import { observed } from '../observed.ts';
import { escapeKey, jsonOf, justAbove, unescapeKey } from '../value.ts';
import { deleteScript, getScript, listScript, setScript } from './scripts.ts';

export interface RedisStoreOptions {
  /** A client or cluster client of `redis` v6, or of ioredis through `fromIoredis`. Somebody else connects and closes it. */
  readonly client: RedisCommands;
  /** Keeps these entries apart from others, also in metrics. Without braces. @default 'default' */
  readonly namespace?: string;
  /** What the keys in Redis start with. Without braces. @default 'sage:kv' */
  readonly prefix?: string;
  /** How long one call may take. @default 500 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

export interface RedisStore extends KeyValueStore {
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a {@link KeyValueStore} in Redis 6 or later. Each call is one script, timed by the server.
 *
 * All entries of a namespace lie in one slot; spread a large store over several namespaces. What is acknowledged is as durable as the server is
 * (`appendonly`, `appendfsync`), and the server must not evict (`maxmemory-policy noeviction`). `close()` leaves the client open.
 */
export function createRedisStore({
  client,
  namespace = 'default',
  prefix = 'sage:kv',
  deadlineMs = 500,
  clock,
}: RedisStoreOptions): RedisStore {
  for (const [option, value] of Object.entries({ namespace, prefix })) {
    requireOption(option, value, 'a name without braces', (name) => name !== '' && !/[{}]/.test(name));
  }
  const scripts = createScriptRunner({ client, deadlineMs, ...(clock !== undefined && { clock }) });
  const slot = `{${prefix}:${namespace}}`;
  const indexes = [`${slot}:keys`, `${slot}:endings`];
  const run = (script: RedisScript, key: string, args: readonly string[], { signal }: StoreCallOptions) =>
    scripts.run(
      script,
      [`${slot}:entry:${key}`, ...indexes, `${slot}:version`],
      [key, ...args],
      signal === undefined ? {} : { signal },
    );

  const calls: Omit<KeyValueStore, 'close'> = {
    async get(key, options = {}): Promise<Entry | undefined> {
      const [version, json] = (await run(getScript, escapeKey(key), [], options)) as [string | null, string | null];
      return version === null || json === null ? undefined : { version, value: JSON.parse(json) };
    },
    async set(key: string, value: unknown, options: SetOptions = {}): Promise<string | undefined> {
      const reply = await run(setScript, escapeKey(key), setArguments(jsonOf(key, value), options), options);
      return (reply as string | null) ?? undefined;
    },
    async delete(key, options = {}): Promise<boolean> {
      return (await run(deleteScript, escapeKey(key), [], options)) === 1;
    },
    async list({ prefix: start = '', limit = 100, cursor = '', signal }: ListOptions = {}): Promise<Page> {
      requireWhole('limit', limit, 1, 10_000);
      const args = [escapeKey(start), cursor, String(limit)];
      const reply = await scripts.run(listScript, indexes, args, signal === undefined ? {} : { signal });
      const [last, keys] = reply as [string | null, readonly string[]];
      return { keys: keys.map(unescapeKey), ...(last !== null && { nextCursor: justAbove(last) }) };
    },
  };
  const close = async () => {};
  return { ...observed('redis', namespace, calls), close, [Symbol.asyncDispose]: close };
}

function setArguments(json: string, { ttlMs, ifVersion }: SetOptions): readonly string[] {
  if (ttlMs !== undefined) requireNumber('ttlMs', ttlMs, 1);
  const condition = ifVersion === undefined ? '' : ifVersion === null ? 'absent' : 'version';
  return [json, ttlMs === undefined ? '' : String(Math.ceil(ttlMs)), condition, ifVersion ?? ''];
}
