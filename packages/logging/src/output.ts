import { type Clock, current, source, trace, type TraceIds } from '@sage-adk/core';
import type { Backend } from './backend.ts';
import type { FailedTraces } from './failed-traces.ts';
import { type LogLevel, requireLevel, severityOf } from './level.ts';
import type { LogEntry } from './logger.ts';
import { type LineRecord, recordOf } from './record.ts';
import type { Sampler } from './sampling.ts';
import type { Fields } from './serialise/plain.ts';
import type { Redaction } from './serialise/redaction.ts';
import type { Secrets } from './serialise/secrets.ts';

export interface OutputParts {
  level: LogLevel;
  readonly backend: Backend;
  readonly spell: (record: LineRecord) => string;
  readonly isSecret: Redaction;
  readonly keepsDebug: Sampler;
  readonly secrets: Secrets;
  /** Missing where suppressed lines are not held. */
  readonly failedTraces: FailedTraces | undefined;
  readonly clock: Clock;
}

/** What a logger and its children share. */
export class Output {
  readonly isSecret: Redaction;
  readonly listeners: Set<(level: LogLevel) => void> = new Set();
  #lowest: number;
  readonly #parts: OutputParts;
  readonly #counters: Disposable;
  #closed: Promise<void> | undefined;
  #written = 0;
  #sampledOut = 0;
  #released = 0;
  #failed = 0;

  constructor(parts: OutputParts) {
    this.#parts = parts;
    this.#lowest = severityOf[parts.level];
    this.isSecret = parts.isSecret;
    this.#counters = source('logging', () => ({
      written: this.#written,
      sampledOut: this.#sampledOut,
      released: this.#released,
      failed: this.#failed,
    }));
  }

  get level(): LogLevel {
    return this.#parts.level;
  }

  set level(level: LogLevel) {
    this.#parts.level = requireLevel(level);
    this.#lowest = severityOf[level];
    for (const listener of this.listeners) listener(level);
  }

  isEnabled(level: LogLevel): boolean {
    return severityOf[level] >= this.#lowest;
  }

  write(entry: LogEntry, bound: Fields): void {
    if (!this.isEnabled(entry.level)) return;
    try {
      const ids = 'trace' in entry ? entry.trace : trace();
      if (entry.level === 'DEBUG' && !this.#keeps(ids?.traceId)) this.#suppress(entry, bound, ids);
      else this.#write(entry, bound, ids);
    } catch (error) {
      this.#failed++;
      // Said once: whatever hinders one line hinders the next, and the count goes on.
      if (this.#failed === 1)
        process.emitWarning(`A log line is lost: ${String(error)}`, { code: 'SAGE_LOGGING_LINE_LOST' });
    }
  }

  hide(secret: string): void {
    this.#parts.secrets.add(secret);
  }

  flush(): Promise<void> {
    return this.#parts.backend.flush();
  }

  close(): Promise<void> {
    this.#counters[Symbol.dispose]();
    return (this.#closed ??= this.#parts.backend.close());
  }

  #keeps(traceId: string | undefined): boolean {
    const { keepsDebug, failedTraces } = this.#parts;
    return keepsDebug(traceId) || (traceId !== undefined && failedTraces?.hasFailed(traceId) === true);
  }

  #suppress(entry: LogEntry, bound: Fields, ids: TraceIds | undefined): void {
    this.#sampledOut++;
    const { failedTraces } = this.#parts;
    if (failedTraces !== undefined && ids !== undefined)
      failedTraces.hold(ids.traceId, this.#lineOf(entry, bound, ids));
  }

  #write(entry: LogEntry, bound: Fields, ids: TraceIds | undefined): void {
    if (this.#closed !== undefined) throw new Error('the logger is closed');
    if (ids !== undefined && (entry.failed === true || severityOf[entry.level] >= severityOf.ERROR))
      this.#release(ids.traceId);
    this.#parts.backend.write(this.#lineOf(entry, bound, ids), entry.level);
    this.#written++;
  }

  #release(traceId: string): void {
    for (const line of this.#parts.failedTraces?.release(traceId) ?? []) {
      this.#parts.backend.write(line, 'DEBUG');
      this.#released++;
    }
  }

  #lineOf(
    { level, message, fields, failed: _, ...origin }: LogEntry,
    bound: Fields,
    ids: TraceIds | undefined,
  ): string {
    const { clock, spell, secrets } = this.#parts;
    const record = recordOf(
      {
        nowMs: clock.now(),
        level,
        message,
        context: 'context' in origin ? origin.context : current(),
        trace: ids,
        bound,
        fields: typeof fields === 'function' ? fields() : fields,
      },
      this.isSecret,
    );
    return spell(secrets.hide(record));
  }
}
