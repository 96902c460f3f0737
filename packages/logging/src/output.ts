import { type Clock, current, source, trace, type TraceIds } from '@sage-adk/core';
import type { Backend } from './backend.ts';
import type { FailedTraces } from './failed-traces.ts';
import { type Bound, jsonLine, jsonLineOf } from './format/json.ts';
import { textLine } from './format/text.ts';
import { type LogLevel, requireLevel, severityOf } from './level.ts';
import type { LogEntry } from './logger.ts';
import { type LineParts, recordOf } from './record.ts';
import type { Sampler } from './sampling.ts';
import { createFieldNames, type FieldNames } from './serialise/field-names.ts';
import { FieldText } from './serialise/field-text.ts';
import type { Fields } from './serialise/plain.ts';
import type { Redaction } from './serialise/redaction.ts';
import type { Secrets } from './serialise/secrets.ts';
import { warnOfLostLine } from './lost-line.ts';

export interface OutputParts {
  level: LogLevel;
  readonly backend: Backend;
  readonly format: 'json' | 'text';
  readonly isSecret: Redaction;
  readonly keepsDebug: Sampler;
  readonly secrets: Secrets;
  /** Missing where suppressed lines are not held. */
  readonly failedTraces: FailedTraces | undefined;
  readonly clock: Clock;
}

/** An entry that can write its fields without making an object of them. */
export interface WritingEntry extends LogEntry {
  /** Adds the same fields that `fields` gives. */
  addTo?(text: FieldText): void;
}

/** What a logger and its children share. */
export class Output {
  readonly isSecret: Redaction;
  readonly listeners: Set<(level: LogLevel) => void> = new Set();
  #lowest: number;
  readonly #parts: OutputParts;
  readonly #names: FieldNames;
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
    this.#names = createFieldNames(parts.isSecret);
    this.#counters = source('logging', () => {
      const { lost = 0 } = parts.backend;
      return {
        written: this.#written - lost,
        sampledOut: this.#sampledOut,
        released: this.#released,
        failed: this.#failed + lost,
      };
    });
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

  write(entry: WritingEntry, bound: Bound): void {
    if (!this.isEnabled(entry.level)) return;
    try {
      const ids = 'trace' in entry ? entry.trace : trace();
      if (entry.level === 'DEBUG' && !this.#keeps(ids?.traceId)) this.#suppress(entry, bound, ids);
      else this.#write(entry, bound, ids);
    } catch (error) {
      this.#failed++;
      // Said once: whatever hinders one line hinders the next, and the count goes on.
      if (this.#failed === 1) warnOfLostLine(error);
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

  #suppress(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined): void {
    this.#sampledOut++;
    const { failedTraces } = this.#parts;
    if (failedTraces !== undefined && ids !== undefined)
      failedTraces.hold(ids.traceId, this.#lineOf(entry, bound, ids));
  }

  #write(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined): void {
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

  #lineOf(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined): string {
    const { format, clock, secrets, isSecret } = this.#parts;
    const { level, message } = entry;
    const context = 'context' in entry ? entry.context : current();
    const nowMs = clock.now();
    const fields = entry.addTo === undefined ? fieldsOf(entry) : undefined;
    if (format === 'json') {
      const own = new FieldText(this.#names, isSecret, bound.names);
      if (fields !== undefined) own.addAll(fields);
      else entry.addTo?.(own);
      if (!own.isOdd) {
        const { text, bits } = own;
        const line = jsonLineOf({ nowMs, level, message, context, trace: ids, bound, text, bits });
        if (!secrets.areIn(line)) return line;
      }
    }
    const parts: LineParts = {
      nowMs,
      level,
      message,
      context,
      trace: ids,
      bound: bound.fields,
      fields: fields ?? fieldsOf(entry),
    };
    const record = secrets.hide(recordOf(parts, isSecret));
    return format === 'json' ? jsonLine(record) : textLine(record);
  }
}

function fieldsOf({ fields }: LogEntry): Fields | undefined {
  return typeof fields === 'function' ? fields() : fields;
}
