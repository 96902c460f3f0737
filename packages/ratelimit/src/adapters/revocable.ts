/** Hits that may still be taken back: the ids of their reservations by key, each for a limited time and in bounded number. */
import type { Clock } from '@sage-adk/core';

export interface Revocable {
  /** Remembers a hit of the key; only once it is counted, or it might be taken back before. */
  add(key: string, id: string): void;
  /** The newest hit of the key that may still be taken back; it is forgotten with this. */
  take(key: string): string | undefined;
}

interface Entry {
  readonly key: string;
  readonly id: string;
  readonly untilMs: number;
}

/** Beyond `most` the oldest hits can no longer be taken back: they stay counted. */
export function createRevocable(ttlMs: number, most: number, clock: Clock): Revocable {
  // Both in the order of age, so that the oldest of all is the first of its key too.
  const entries = new Set<Entry>();
  const byKey = new Map<string, Entry[]>();
  const dropOld = (): void => {
    const nowMs = clock.monotonicMs();
    for (const entry of entries) {
      if (entry.untilMs > nowMs && entries.size <= most) break;
      entries.delete(entry);
      const line = byKey.get(entry.key);
      line?.shift();
      if (line?.length === 0) byKey.delete(entry.key);
    }
  };
  return {
    add(key, id) {
      const entry = { key, id, untilMs: clock.monotonicMs() + ttlMs };
      entries.add(entry);
      const line = byKey.get(key);
      if (line === undefined) byKey.set(key, [entry]);
      else line.push(entry);
      dropOld();
    },
    take(key) {
      dropOld();
      const line = byKey.get(key);
      const entry = line?.pop();
      if (line?.length === 0) byKey.delete(key);
      if (entry !== undefined) entries.delete(entry);
      return entry?.id;
    },
  };
}
