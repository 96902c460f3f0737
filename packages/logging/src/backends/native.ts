/** Writes lines itself, without a library between. */
import type { Backend } from '../backend.ts';
import { type LineOutputOptions, openLineOutput } from './line-output.ts';

export type { Rotation } from './line-output.ts';
export type NativeBackendOptions = LineOutputOptions;

/**
 * A line is with the operating system when `write` returns.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_CORE_INVALID_OPTION
 */
export function createNativeBackend(options: NativeBackendOptions = {}): Backend {
  const output = openLineOutput(options);
  return {
    write: (line) => output.write(line),
    flush: () => Promise.resolve(),
    close() {
      output.close();
      return Promise.resolve();
    },
  };
}
