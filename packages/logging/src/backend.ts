import type { LogLevel } from './level.ts';

/**
 * Where finished lines go. Levels, sampling, redaction and serialisation came before, so a backend only writes.
 */
export interface Backend {
  /** Takes one line without its line break. May throw; the logger counts it and goes on. */
  write(line: string, level: LogLevel): void;
  /** Lines that it took and could not write, since it was made. @default 0 */
  readonly lost?: number;
  /** Resolves when every line taken so far is written. */
  flush(): Promise<void>;
  /** Writes what is left and frees what is held. No line comes afterwards. */
  close(): Promise<void>;
}
