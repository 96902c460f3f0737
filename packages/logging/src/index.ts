export type { Backend } from './backend.ts';
export type { Rotation } from './backends/line-output.ts';
export { createWinstonBackend, type WinstonBackendOptions } from './backends/winston.ts';
export { errors } from './errors.ts';
export type { LogLevel } from './level.ts';
export { createLogger, type LogEntry, type Logger, type LoggerOptions } from './logger.ts';
export { observeLogging } from './observe-logging.ts';
export type { Fields } from './serialise/plain.ts';
