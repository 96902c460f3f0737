import type { LineRecord } from '../record.ts';

/** One JSON object on one line. */
export function jsonLine(record: LineRecord): string {
  return JSON.stringify(record);
}
