import { type Bound, boundOf } from './format/json.ts';
import type { LogLevel } from './level.ts';
import type { LogEntry, Logger } from './logger.ts';
import type { Output } from './output.ts';
import { boundFields } from './record.ts';
import type { Fields } from './serialise/plain.ts';

/** An output with the fields that all lines of one logger have. */
export class BoundLogger implements Logger {
  readonly #output: Output;
  readonly #bound: Bound;

  /** @param bound already safe to write. */
  constructor(output: Output, bound: Fields) {
    this.#output = output;
    this.#bound = boundOf(bound);
  }

  get level(): LogLevel {
    return this.#output.level;
  }

  set level(level: LogLevel) {
    this.#output.level = level;
  }

  debug(message: string, fields?: Fields): void {
    this.#write('DEBUG', message, fields);
  }

  info(message: string, fields?: Fields): void {
    this.#write('INFO', message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.#write('WARN', message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.#write('ERROR', message, fields);
  }

  fatal(message: string, fields?: Fields): void {
    this.#write('FATAL', message, fields);
  }

  log(entry: LogEntry): void {
    this.#output.write(entry, this.#bound);
  }

  child(fields: Fields): Logger {
    return new BoundLogger(this.#output, boundFields(this.#bound.fields, fields ?? {}, this.#output.isSecret));
  }

  isEnabled(level: LogLevel): boolean {
    return this.#output.isEnabled(level);
  }

  onLevelChange(listener: (level: LogLevel) => void): Disposable {
    const { listeners } = this.#output;
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  hide(secret: string): void {
    this.#output.hide(secret);
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }

  close(): Promise<void> {
    return this.#output.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #write(level: LogLevel, message: string, fields: Fields | undefined): void {
    if (this.#output.isEnabled(level))
      this.#output.write(fields === undefined ? { level, message } : { level, message, fields }, this.#bound);
  }
}
