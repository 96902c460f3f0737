/**
 * The head of a chain: how far it goes and the hash there, in a file beside it, so that a chain cut short is noticed.
 *
 * The first one comes before any record. Each is written after its record and always has the same length, so a crash leaves it at most one record behind.
 */
import { readFileSync, writeSync } from 'node:fs';
import { hashOf } from './record.ts';

export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The head of a chain without a record. It names the chain: that of one does not pass for that of another. */
export function firstHead(chain: string, key: string | undefined): Head {
  return { seq: 0, hash: hashOf(chain, key) };
}

export function writeHead(descriptor: number, { seq, hash }: Head, key: string | undefined): void {
  const open = `${String(seq).padStart(15, '0')} ${hash}`;
  writeSync(descriptor, `${open} ${hashOf(open, key)}\n`, 0);
}

/** Undefined where there is none, or none that was written by {@link writeHead} with this key. */
export function readHead(path: string, key: string | undefined): Head | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  const [, open, seq, hash, seal] = /^((\d{15}) ([0-9a-f]{64})) ([0-9a-f]{64})\n$/.exec(text) ?? [];
  if (open === undefined || hash === undefined || seal !== hashOf(open, key)) return undefined;
  return { seq: Number(seq), hash };
}
