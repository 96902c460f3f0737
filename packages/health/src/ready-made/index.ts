export { breakerCheck, type BreakerCheckOptions } from './breaker.ts';
export { diskCheck, type DiskCheckOptions } from './disk.ts';
export { eventLoopCheck, type EventLoopCheckOptions } from './event-loop.ts';
export { llmCheck, type LlmCheckOptions } from './llm.ts';
export { memoryCheck, type MemoryCheckOptions } from './memory.ts';
export { modelsProbe, type ModelsProbeOptions } from './models-probe.ts';
export { type PostgresQueries, postgresCheck, type PostgresCheckOptions } from './postgres.ts';
export { protocolCheck, type ProtocolCheckOptions } from './protocol.ts';
export { redisCheck, type RedisCheckOptions, type RedisPing } from './redis.ts';
