import { requireOption } from '../errors/options.ts';
import type { RedisCommands } from './commands.ts';

/** What is needed of an ioredis client, single or cluster. */
export interface IoredisClient {
  readonly status: string;
  /** Where they are given, `keyPrefix` and `stringNumbers` are refused. */
  readonly options?: IoredisOptions & { readonly redisOptions?: IoredisOptions | undefined };
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(lua: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** Options of ioredis that change what scripts are sent or reply. */
export interface IoredisOptions {
  readonly keyPrefix?: string | undefined;
  readonly stringNumbers?: boolean | undefined;
}

/**
 * Lets an ioredis client run scripts.
 *
 * Give it `autoResendUnfulfilledCommands: false`: else it sends a script that nobody waits for any more again when it reconnects. Refuses one with a
 * `keyPrefix`, which the keys that scripts find by themselves would not have, and one with `stringNumbers`, which scripts' numbers would not survive.
 */
export function fromIoredis(client: IoredisClient): RedisCommands {
  refuse(client.options);
  refuse(client.options?.redisOptions);
  return {
    get isReady() {
      return client.status === 'ready';
    },
    evalSha: (sha, { keys, arguments: args }) => client.evalsha(sha, keys.length, ...keys, ...args),
    eval: (lua, { keys, arguments: args }) => client.eval(lua, keys.length, ...keys, ...args),
  };
}

function refuse({ keyPrefix = '', stringNumbers = false }: IoredisOptions = {}): void {
  const ownPrefix = 'missing for a client that runs scripts: give what uses it a prefix of its own';
  requireOption('keyPrefix of ioredis', keyPrefix, ownPrefix, (prefix) => prefix === '');
  const ownClient = 'missing for a client that runs scripts: give them a client of their own';
  requireOption('stringNumbers of ioredis', stringNumbers, ownClient, (value) => !value);
}
