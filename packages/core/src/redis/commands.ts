/**
 * What scripts need of a client. Clients, cluster clients and sentinel clients of `redis` v6 fit as they are, ioredis through `fromIoredis`.
 *
 * A client pool does not fit: it cannot say whether it is ready, and a call that waits for one of its connections cannot be taken back.
 */
export interface RedisCommands {
  evalSha(sha: string, options: ScriptArguments): Promise<unknown>;
  eval(lua: string, options: ScriptArguments): Promise<unknown>;
  /** Whether a command would be sent at once. */
  readonly isReady: boolean;
  /** The same client with other options for its commands, where it can do that. */
  withCommandOptions?(options: CommandOptions): RedisCommands;
}

export interface CommandOptions {
  /** Drops a command that was not sent yet. */
  readonly abortSignal: AbortSignal;
  /** 0 for none of the client's own: a script has its runner's deadline. */
  readonly timeout: number;
  /** Empty, so that replies have the types they have by default, whatever the client maps them to elsewhere. */
  readonly typeMapping: Readonly<Record<string, never>>;
}

/** Keys come first in a script's `KEYS`, the rest in its `ARGV`. In a cluster all keys lie in one slot. */
export interface ScriptArguments {
  keys: string[];
  arguments: string[];
}
