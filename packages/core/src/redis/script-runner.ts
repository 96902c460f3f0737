/**
 * Lua scripts by their digest: one round trip, a hard deadline, and no queue in between.
 *
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
import { createHash } from 'node:crypto';
import { bounded, type Wait } from '../bounded.ts';
import { type Clock, systemClock } from '../clock.ts';
import { requireNumber } from '../errors/options.ts';
import type { RedisCommands, ScriptArguments } from './commands.ts';
import { isUnknownScript, redisErrors, toRedisError } from './errors.ts';

/** A script and its digest, made by {@link defineScript}. */
export interface RedisScript {
  readonly lua: string;
  /** SHA-1 of the script in lower-case hex; what the server knows it by. */
  readonly sha: string;
  /** What errors call it. */
  readonly name: string;
  readonly numberOfKeys: number | undefined;
}

export interface ScriptDefinition {
  readonly lua: string;
  /** @default the first 8 digits of the digest */
  readonly name?: string;
  /** Refuses a call with another number of keys. @default any number */
  readonly numberOfKeys?: number;
}

export interface ScriptRunnerOptions {
  readonly client: RedisCommands;
  /** How long one call may take, a reload of the script included. @default 50 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

export interface ScriptRunner {
  /**
   * Runs `script` and returns its reply.
   *
   * Rejects with `SAGE_REDIS_NOT_READY` at once while the client is not connected, `SAGE_REDIS_DEADLINE` when the time is over,
   * `SAGE_REDIS_UNAVAILABLE` where another try may help, `SAGE_REDIS_SCRIPT_FAILED` where it may not, and the signal's reason. Where the connection broke,
   * so that the script may have run, `details.sent` is true.
   */
  run(
    script: RedisScript,
    keys: readonly string[],
    args?: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<unknown>;
}

/** Makes a script and computes its digest, once. */
export function defineScript({ lua, name, numberOfKeys }: ScriptDefinition): RedisScript {
  const sha = createHash('sha1').update(lua).digest('hex');
  return { lua, sha, name: name ?? sha.slice(0, 8), numberOfKeys };
}

/**
 * Makes a runner of scripts over a client that somebody else connects and closes.
 *
 * It never waits in the client's offline queue. On a cluster the readiness of single nodes cannot be seen: a call for a node that is down fails at its
 * deadline, and its command is dropped from that node's queue. What was already sent may still run.
 *
 * @example
 * ```ts
 * const increment = defineScript({ lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])", numberOfKeys: 1 });
 * const scripts = createScriptRunner({ client });
 * const total = await scripts.run(increment, ['visits'], ['1']);
 * ```
 */
export function createScriptRunner({
  client,
  deadlineMs = 50,
  clock = systemClock,
}: ScriptRunnerOptions): ScriptRunner {
  requireNumber('deadlineMs', deadlineMs, 1);
  const late = () => redisErrors.DEADLINE({ deadlineMs });
  return {
    async run(script, keys, args = [], { signal } = {}) {
      const { name, numberOfKeys = keys.length } = script;
      if (keys.length !== numberOfKeys)
        throw redisErrors.WRONG_KEYS({ script: name, numberOfKeys, given: keys.length });
      if (!client.isReady) throw redisErrors.NOT_READY();
      const unsent = new AbortController();
      const commands =
        client.withCommandOptions?.({ abortSignal: unsent.signal, timeout: 0, typeMapping: {} }) ?? client;
      const options = { keys: [...keys], arguments: [...args] };
      const giveUp = () => unsent.abort();
      return bounded((wait) => evaluate(commands, script, options, wait), { deadlineMs, clock, signal, late, giveUp });
    },
  };
}

async function evaluate(
  client: RedisCommands,
  script: RedisScript,
  options: ScriptArguments,
  wait: Wait,
): Promise<unknown> {
  try {
    return await client.evalSha(script.sha, options);
  } catch (error) {
    if (!isUnknownScript(error) || wait.over) throw toRedisError(error, script.name);
  }
  try {
    // Not SCRIPT LOAD: this goes by the same keys to the same node of a cluster, needs no other node, and leaves the script there too.
    return await client.eval(script.lua, options);
  } catch (error) {
    throw toRedisError(error, script.name);
  }
}
