import type { RedisCommands } from './commands.ts';

/** What is needed of an ioredis client, single or cluster. */
export interface IoredisClient {
  readonly status: string;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(lua: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/**
 * Lets an ioredis client run scripts.
 *
 * Give it `autoResendUnfulfilledCommands: false`: else it sends a script that nobody waits for any more again when it reconnects.
 */
export function fromIoredis(client: IoredisClient): RedisCommands {
  return {
    get isReady() {
      return client.status === 'ready';
    },
    evalSha: (sha, { keys, arguments: args }) => client.evalsha(sha, keys.length, ...keys, ...args),
    eval: (lua, { keys, arguments: args }) => client.eval(lua, keys.length, ...keys, ...args),
  };
}
