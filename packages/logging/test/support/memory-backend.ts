import type { Backend, LogLevel } from '../../src/index.ts';

export type Line = Readonly<Record<string, unknown>>;

export interface MemoryBackend extends Backend {
  readonly written: { readonly line: string; readonly level: LogLevel }[];
  /** The lines as objects. */
  lines(): Line[];
  closed: boolean;
}

/** Keeps lines for a test to read. */
export function memoryBackend(): MemoryBackend {
  const backend: MemoryBackend = {
    written: [],
    closed: false,
    lines: () => backend.written.map(({ line }) => JSON.parse(line) as Line),
    write: (line, level) => void backend.written.push({ line, level }),
    flush: () => Promise.resolve(),
    close: () => {
      backend.closed = true;
      return Promise.resolve();
    },
  };
  return backend;
}
