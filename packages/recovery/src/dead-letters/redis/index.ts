/** Dead letters in Redis, all of a queue in one slot of a cluster. */
import { type Clock, requireOption, requireWhole } from '@sage-adk/core';
import { createScriptRunner, type RedisCommands, type RedisScript } from '@sage-adk/core/redis';
import { type Backend, backendOptions, createStore } from '../create-store.ts';
import type { PreparedLetter } from '../draft.ts';
import { type DeadLetter, type DeadLetterError, matches } from '../letter.ts';
import type { DeadLetterOptions, DeadLetterStats, DeadLetterStore } from '../store.ts';
import {
  ackScript,
  claimScript,
  extendScript,
  nackScript,
  pageScript,
  putScript,
  releaseScript,
  removeScript,
  statsScript,
} from './scripts.ts';

export interface RedisDeadLetterOptions extends DeadLetterOptions {
  /** A client or cluster client of `redis` v6, or of ioredis through `fromIoredis`. Somebody else connects and closes it. */
  readonly client: RedisCommands;
  /** What the keys in Redis start with. Without braces. @default 'sage:dlq' */
  readonly prefix?: string;
  /** @default 100000 */
  readonly maxEntries?: number;
  /** How long one call may take. @default 500 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

/**
 * Makes a {@link DeadLetterStore} in Redis 6 or later. Each call is one script, timed by the server.
 *
 * What is acknowledged is as durable as the server is (`appendonly`, `appendfsync`), and the server must not evict (`maxmemory-policy noeviction`).
 */
export function createRedisDeadLetters(options: RedisDeadLetterOptions): DeadLetterStore {
  const { client, prefix = 'sage:dlq', maxEntries = 100_000, deadlineMs = 500, clock } = options;
  requireOption('prefix', prefix, 'a name without braces', (name) => name !== '' && !/[{}]/.test(name));
  requireWhole('maxEntries', maxEntries, 1);
  const { queue, retentionMs, maxRedrives, whenFull } = backendOptions(options);
  const scripts = createScriptRunner({ client, deadlineMs, ...(clock !== undefined && { clock }) });
  const keys = parts.map((part) => `{${prefix}:${queue}}:${part}`);
  const run = (script: RedisScript, ...args: readonly (string | number)[]) =>
    scripts.run(script, keys, args.map(String));
  const did = async (script: RedisScript, ...args: readonly (string | number)[]) => (await run(script, ...args)) === 1;

  const backend: Backend = {
    name: 'redis',
    async put(letter) {
      const { failure, id, delayMs } = letter;
      const bounds = [retentionMs, maxRedrives, maxEntries, whenFull];
      const fields = [id, dedupeOf(letter), textOf(letter), failure.error, failure.fingerprint, delayMs];
      const reply = (await run(putScript, ...fields, ...bounds)) as [string, number, number] | null;
      return reply === null ? undefined : { id: reply[0], duplicate: reply[1] === 1, dropped: reply[2] };
    },
    async claim({ limit, leaseMs, ids }) {
      // No ids at all is not the same as none of them.
      if (ids?.length === 0) return { letters: [], parked: 0 };
      const [parked, ...rows] = (await run(claimScript, limit, leaseMs, maxRedrives, ...(ids ?? []))) as [
        number,
        ...string[],
      ];
      return { parked, letters: lettersOf(rows).map((letter) => ({ ...letter, state: 'claimed' })) };
    },
    ack: ({ id, version }) => did(ackScript, id, version),
    nack: ({ id, version }, delayMs, failure) =>
      did(nackScript, id, version, delayMs, maxRedrives, retentionMs, failure?.error ?? '', failure?.fingerprint ?? ''),
    extend: ({ id, version }, leaseMs) => did(extendScript, id, version, leaseMs),
    release: (id) => did(releaseScript, id),
    async page(filter, cursor, limit) {
      const [nextCursor, ...rows] = (await run(pageScript, cursor, limit)) as [string, ...string[]];
      const letters = lettersOf(rows).filter((letter) => matches(letter, filter));
      return { letters, nextCursor: nextCursor === '' ? undefined : nextCursor };
    },
    async remove(letters) {
      return (await run(removeScript, ...letters.flatMap(({ id, version }) => [id, version]))) as number;
    },
    async stats() {
      return statsOf((await run(statsScript)) as StatsReply);
    },
    async close() {},
  };
  return createStore(backend, options, clock);
}

const parts = ['letters', 'meta', 'errors', 'due', 'parked', 'expiry', 'ids', 'dedupe', 'counters', 'claimed'] as const;

function dedupeOf({ source, dedupeKey }: PreparedLetter): string {
  return JSON.stringify([source, dedupeKey]);
}

/** What never changes of a letter. Its payload stands in it as JSON within JSON, so that Lua need not read it. */
function textOf({ source, dedupeKey, payload, headers }: PreparedLetter): string {
  return JSON.stringify({ source, dedupeKey, payload, headers });
}

type StatsReply = readonly [dead: number, claimed: number, parked: number, dropped: number, oldestAgeMs: number | null];

function statsOf([dead, claimed, parked, dropped, oldestAgeMs]: StatsReply): DeadLetterStats {
  return { dead, claimed, parked, dropped, ...(oldestAgeMs !== null && { oldestAgeMs }) };
}

function lettersOf(rows: readonly string[]): readonly DeadLetter[] {
  const letters: DeadLetter[] = [];
  for (let index = 0; index < rows.length; index += 4) {
    const [id = '', text = '', meta = '', error = ''] = rows.slice(index, index + 4);
    const { payload, headers, source, dedupeKey } = JSON.parse(text) as StoredText;
    const { dedupe: _, ...state } = JSON.parse(meta) as StoredState;
    letters.push({
      ...state,
      id,
      source,
      dedupeKey,
      payload: JSON.parse(payload),
      headers: JSON.parse(headers) as DeadLetter['headers'],
      error: JSON.parse(error) as DeadLetterError,
    });
  }
  return letters;
}

type StoredState = Omit<DeadLetter, 'id' | 'source' | 'dedupeKey' | 'payload' | 'headers' | 'error'> & {
  readonly dedupe: string;
};
type StoredText = Pick<PreparedLetter, 'source' | 'dedupeKey' | 'payload' | 'headers'>;
