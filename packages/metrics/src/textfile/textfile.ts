/** Metrics in a file that the textfile collector of node_exporter reads: for jobs on a machine that has one. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, requireOption, requireWhole, source, systemClock } from '@sage-adk/core';
import type { Collected } from '../collected.ts';
import { Repeating } from '../repeating.ts';
import { renderText } from '../scrape/render-text.ts';
import { errors } from './errors.ts';

export interface TextfileOptions {
  /** `createMetrics()` fits, and `mergeWorkers()` of `./cluster`. */
  readonly metrics: Collected;
  /** Ends in `.prom`, as the collector wants it; its folder is made. One file for each process. */
  readonly path: string;
  /** How often it is written, in milliseconds. @default 15_000 */
  readonly everyMs?: number;
  readonly clock?: Clock;
}

/** A file that is written until it is closed. */
export interface Textfile extends AsyncDisposable {
  /** Writes all that was counted until now. Throws `SAGE_METRICS_TEXTFILE_NOT_WRITTEN`. */
  write(): Promise<void>;
  /** Writes it a last time. The file stays: the collector shows it until somebody removes it. */
  close(): Promise<void>;
}

/**
 * Writes the file every 15 seconds and at the end, each time as a whole: who reads it sees the old text or the new one.
 *
 * What it did is in `sage_source{source="metrics.textfile"}`: written, failed.
 */
export function createTextfile({ metrics, path, everyMs = 15_000, clock = systemClock }: TextfileOptions): Textfile {
  requireOption('path', path, 'a path that ends in .prom', (text) => text.endsWith('.prom'));
  requireWhole('everyMs', everyMs, 1);
  const counts = { written: 0, failed: 0 };
  const counters = source('metrics.textfile', () => counts);
  const once = async (): Promise<void> => {
    try {
      await replaceFile(path, await renderText(metrics));
      counts.written++;
    } catch (cause) {
      counts.failed++;
      const { code, message } = cause as NodeJS.ErrnoException;
      throw errors.NOT_WRITTEN({ path, reason: code ?? message }, { cause });
    }
  };
  const repeating = new Repeating({ everyMs, clock, work: once });
  const close = async (): Promise<void> => {
    repeating.stop();
    await repeating.now().finally(() => counters[Symbol.dispose]());
  };
  let closing: Promise<void> | undefined;
  return {
    write: () => repeating.now(),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

/** Beside the file, under a name that the collector does not read, and then in its place. */
async function replaceFile(path: string, text: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, 'w', 0o644);
    try {
      await file.writeFile(text);
      // Else a machine that loses power may have the new name and no text.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
