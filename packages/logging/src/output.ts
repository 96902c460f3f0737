import { type Clock, current, source, trace, type TraceIds } from '@sage-adk/core';
import type { Backend } from './backend.ts';
import type { FailedTraces } from './failed-traces.ts';
import { type Bound, jsonLine, jsonLineOf } from './format/json.ts';
import { textLine } from './format/text.ts';
import { type LogLevel, requireLevel, severityOf } from './level.ts';
import type { LogEntry } from './logger.ts';
import { type LineParts, type LineRecord, recordOf } from './record.ts';
import type { Sampler } from './sampling.ts';
import { createFieldNames, type FieldNames } from './serialise/field-names.ts';
import { FieldText } from './serialise/field-text.ts';
import type { Fields } from './serialise/plain.ts';
import { textOf, unreadable } from './serialise/readable.ts';
import type { Redaction } from './serialise/redaction.ts';
import type { Secrets } from './serialise/secrets.ts';
import { warnOfLostLine } from './lost-line.ts';

type Format = 'json' | 'text';

export interface OutputParts {
  level: LogLevel;
  readonly backend: Backend;
  readonly format: Format;
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
    for (const listener of this.listeners) tell(listener, level);
  }

  isEnabled(level: LogLevel): boolean {
    return severityOf[level] >= this.#lowest;
  }

  write(entry: WritingEntry, bound: Bound): void {
    try {
      if (!this.isEnabled(entry.level)) return;
      const ids = 'trace' in entry ? entry.trace : trace();
      if (entry.level === 'DEBUG' && !this.#keeps(ids?.traceId)) this.#suppress(entry, bound, ids);
      else this.#write(entry, bound, ids);
    } catch (error) {
      this.#lose(error);
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

  #lose(error: unknown): void {
    this.#failed++;
    // Said once: whatever hinders one line hinders the next, and the count goes on.
    if (this.#failed === 1) warnOfLostLine(error);
  }

  #keeps(traceId: string | undefined): boolean {
    const { keepsDebug, failedTraces } = this.#parts;
    return keepsDebug(traceId) || (traceId !== undefined && failedTraces?.hasFailed(traceId) === true);
  }

  #suppress(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined): void {
    this.#sampledOut++;
    const { failedTraces } = this.#parts;
    if (failedTraces !== undefined && ids !== undefined)
      failedTraces.hold(ids.traceId, this.#lineOf(entry, bound, ids, 'json'));
  }

  #write(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined): void {
    if (this.#closed !== undefined) throw new Error('the logger is closed');
    if (ids !== undefined && (entry.failed === true || severityOf[entry.level] >= severityOf.ERROR))
      this.#release(ids.traceId);
    this.#parts.backend.write(this.#lineOf(entry, bound, ids, this.#parts.format), entry.level);
    this.#written++;
  }

  #release(traceId: string): void {
    for (const line of this.#parts.failedTraces?.release(traceId) ?? []) {
      try {
        this.#parts.backend.write(this.#held(line), 'DEBUG');
        this.#released++;
      } catch (error) {
        this.#lose(error);
      }
    }
  }

  /** A line that was held as JSON, as it is to be written: it may have a secret that was registered since. */
  #held(line: string): string {
    const { format, secrets } = this.#parts;
    if (format === 'json' && !secrets.areIn(line)) return line;
    return spelt(secrets.hide(JSON.parse(line) as LineRecord), format);
  }

  #lineOf(entry: WritingEntry, bound: Bound, ids: TraceIds | undefined, format: Format): string {
    const { clock, secrets, isSecret } = this.#parts;
    const { level, message } = entry;
    const context = 'context' in entry ? entry.context : current();
    const nowMs = clock.now();
    const fields = entry.addTo === undefined ? fieldsOf(entry) : undefined;
    if (format === 'json') {
      const own = new FieldText(this.#names, isSecret, bound.names);
      try {
        if (fields !== undefined) own.addAll(fields);
        else entry.addTo?.(own);
      } catch {
        // The record says what cannot be read.
        own.isOdd = true;
      }
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
    return spelt(secrets.hide(recordOf(parts, isSecret)), format);
  }
}

function spelt(record: LineRecord, format: Format): string {
  return format === 'json' ? jsonLine(record) : textLine(record);
}

function fieldsOf(entry: LogEntry): Fields | undefined {
  try {
    const { fields } = entry;
    return (typeof fields === 'function' ? fields() : fields) ?? undefined;
  } catch {
    return { '...': unreadable };
  }
}

function tell(listener: (level: LogLevel) => void, level: LogLevel): void {
  try {
    listener(level);
  } catch (error) {
    process.emitWarning(`A listener of the log level failed: ${textOf(error)}`, {
      code: 'SAGE_LOGGING_LISTENER_FAILED',
    });
  }
}
