/** Writes lines itself, without a library between. */
import type { Backend } from '../backend.ts';
import { type LineWriterOptions, openLineWriter } from './line-writer.ts';

export type { Rotation } from './line-output.ts';
export type NativeBackendOptions = LineWriterOptions;

/**
 * A line is with the operating system when `write` returns, or at the end of the turn with `flush: 'turn'`.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION
 */
export function createNativeBackend(options: NativeBackendOptions = {}): Backend {
  const writer = openLineWriter(options);
  return {
    get lost() {
      return writer.lost;
    },
    write: (line, level) => writer.write(line, level),
    flush() {
      writer.flush();
      return Promise.resolve();
    },
    close() {
      writer.close();
      return Promise.resolve();
    },
  };
}
