export type { CommandOptions, RedisCommands, ScriptArguments } from './commands.ts';
export { redisErrors } from './errors.ts';
export { fromIoredis, type IoredisClient, type IoredisOptions } from './from-ioredis.ts';
export {
  createScriptRunner,
  defineScript,
  type RedisScript,
  type ScriptDefinition,
  type ScriptRunner,
  type ScriptRunnerOptions,
} from './script-runner.ts';
