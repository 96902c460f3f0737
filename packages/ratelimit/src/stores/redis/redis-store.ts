import { type Clock, requireOption, systemClock } from '@sage-adk/core';
import { createScriptRunner, type RedisCommands, type RedisScript } from '@sage-adk/core/redis';
import type { CompiledRule } from '../../compile.ts';
import type {
  Answer,
  Ask,
  DecideRequest,
  ExtendRequest,
  Holding,
  LimiterStore,
  Settlement,
  SettleRequest,
} from '../store.ts';
import { type Reply, toAnswer } from './answers.ts';
import { Checks, isCheck } from './checks.ts';
import { decideScript, extendScript, resetScript, settleScript, snapshotScript } from './lua/scripts.ts';
import { type KeySpace, keySpaceOf, type PackedAsks, packAsks, packSpaces } from './requests.ts';

/** Options of {@link createRedisStore}. */
export interface RedisStoreOptions {
  /** A connected client, cluster client or sentinel client of `redis` v6, or an ioredis client through `fromIoredis` of `@sage-adk/core/redis`. */
  readonly client: RedisCommands;
  /** How all keys begin. 1 to 64 letters, digits and `. _ : -`. @default 'sage' */
  readonly prefix?: string;
  /**
   * Names the state, as long as `prefix`. Stores with the same prefix and tag share it, in one slot of a cluster. A store for each tenant, with the tenant as
   * tag, spreads tenants over the nodes; then no limit holds for all of them together. @default 'limiter'
   */
  readonly tag?: string;
  /** How long one call may take. @default 50 */
  readonly deadlineMs?: number;
  /** For deadlines, and for where days and months of a calendar lie. Limits go by the time of the server. */
  readonly clock?: Clock;
}

/**
 * Keeps limits in Redis 5 or later: exact across processes, whatever their clocks say. Each call is one round trip, whatever the number of rules; checks of buckets
 * and windows that are made in one turn of the event loop go together, up to 16 in one. Only one that meets a reservation that is over takes a second.
 *
 * State is kept as long as the server keeps it: across restarts with AOF (`appendfsync always` for every decision), across a failover as far as the replica had
 * got. It needs a server that evicts nothing (`maxmemory-policy noeviction`).
 *
 * Rejects with the errors of `redisErrors` of `@sage-adk/core/redis`. After `SAGE_REDIS_DEADLINE`, and where `details.sent` is true, the call may have been
 * carried out or not.
 * The client belongs to the caller; `close` does nothing.
 *
 * @example
 * ```ts
 * const client = await createClient({ url, disableOfflineQueue: true }).connect();
 * const store = createRedisStore({ client });
 * ```
 */
export function createRedisStore(options: RedisStoreOptions): LimiterStore {
  return openRedisStore(options);
}

/**
 * The store, for tests at a time of their own.
 *
 * @param timeUs what the scripts take for the server's time, in microseconds. @default the server's time
 */
export function openRedisStore(
  { client, prefix = 'sage', tag = 'limiter', deadlineMs = 50, clock = systemClock }: RedisStoreOptions,
  timeUs?: () => number,
): LimiterStore {
  requireName('prefix', prefix);
  requireName('tag', tag);
  const runner = createScriptRunner({ client, deadlineMs, clock });
  const run: Run = (script, keys, args) => {
    if (timeUs !== undefined) args[0] = `${timeUs()}`;
    return runner.run(script, keys, args);
  };
  return new RedisStore(run, keySpaceOf(prefix, tag), clock);
}

/** @param args the first is the time; `0` is the server's. */
type Run = (script: RedisScript, keys: readonly string[], args: string[]) => Promise<unknown>;

// A million keys of the node in steps of 500.
const mostSteps = 2_000;

class RedisStore implements LimiterStore {
  readonly kind = 'redis';
  readonly #run: Run;
  readonly #space: KeySpace;
  readonly #clock: Clock;
  readonly #checks: Checks;

  constructor(run: Run, space: KeySpace, clock: Clock) {
    this.#run = run;
    this.#space = space;
    this.#clock = clock;
    this.#checks = new Checks(run, space, clock);
  }

  async decide(request: DecideRequest): Promise<Answer> {
    const answer = isCheck(request) ? await this.#checks.ask(request) : undefined;
    return answer ?? this.#decideInFull(request);
  }

  async settle(request: SettleRequest): Promise<Settlement> {
    const args = ['0', request.id];
    const { asks, keys } = this.#pack(request.asks, args);
    const [settled, ...over] = (await this.#run(settleScript, keys, args)) as number[];
    return { settled: settled === 1, over: inOrderOf(request.asks, asks, over) };
  }

  async extend({ id, asks, ttlUs }: ExtendRequest): Promise<boolean> {
    const args = ['0', id, `${ttlUs}`];
    const { keys } = this.#pack(asks, args);
    return (await this.#run(extendScript, keys, args)) === 1;
  }

  async reset(asks: readonly Ask[]): Promise<void> {
    const whole = asks.filter(({ rule }) => rule.strategy.kind !== 'slots');
    if (whole.length === 0) return;
    const args = ['0'];
    const { keys } = this.#pack(whole, args);
    await this.#run(resetScript, keys, args);
  }

  /** Goes through the keys of the server, in steps of 500 keys; at most a million of them are looked at. */
  async snapshot(rules: readonly CompiledRule[], limit: number): Promise<readonly Holding[]> {
    const { hashes, leases } = this.#space;
    const spaces = packSpaces(rules, this.#clock.now());
    const rows = new Map<string, Holding>();
    let cursor = '0';
    for (let step = 0; step < mostSteps && rows.size < limit; step++) {
      const head = JSON.stringify([cursor, hashes, leases, `${hashes}*`]).slice(1, -1);
      const reply = await this.#run(snapshotScript, [hashes], ['0', `[${head},${spaces.json}]`]);
      const [next, ...values] = reply as [string, ...(string | number)[]];
      for (const holding of toHoldings(spaces, values)) rows.set(`${holding.rule.id} ${holding.key}`, holding);
      cursor = next;
      if (cursor === '0') break;
    }
    return [...rows.values()].slice(0, limit);
  }

  close(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #decideInFull(request: DecideRequest): Promise<Answer> {
    const args = ['0', request.kind === 'consume' && request.force === true ? 'force' : request.kind];
    if (request.kind === 'reserve') args.push(request.id, `${request.ttlUs}`, `${finite(request.maxWaitUs)}`);
    if (request.kind === 'charge') args.push(request.id, '0', '0');
    const { asks, keys } = this.#pack(request.asks, args);
    const order = asks.map((ask) => request.asks.indexOf(ask));
    return toAnswer(request.asks, order, (await this.#run(decideScript, keys, args)) as Reply);
  }

  #pack(asks: readonly Ask[], into: string[]): PackedAsks {
    return packAsks(this.#space, asks, this.#clock.now(), into);
  }
}

/** What was found of `asks`, in the order of those that were wanted. */
function inOrderOf<T>(wanted: readonly Ask[], asks: readonly Ask[], found: readonly T[]): readonly T[] {
  return wanted === asks ? found : wanted.flatMap((ask) => found[asks.indexOf(ask)] ?? []);
}

function* toHoldings(spaces: ReadonlyMap<string, readonly CompiledRule[]>, values: readonly (string | number)[]) {
  for (let at = 0; at < values.length; at += 5) {
    const [space, index, key, remaining, resetAfterUs] = values.slice(at, at + 5);
    const rule = spaces.get(String(space))?.[Number(index) - 1];
    if (rule === undefined) continue;
    yield { rule, key: String(key), remaining: Number(remaining), resetAfterUs: Number(resetAfterUs) };
  }
}

/** JSON has no infinity. */
function finite(us: number): number {
  return Math.min(us, Number.MAX_SAFE_INTEGER);
}

function requireName(option: string, name: string): void {
  requireOption(option, name, '1 to 64 letters, digits and . _ : -', (value) => /^[\w.:-]{1,64}$/.test(value));
}
