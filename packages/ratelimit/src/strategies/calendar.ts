/** Days and months of a calendar as boundaries in microseconds, with the clock changes of a time zone. */
import type { Calendar } from './window.ts';

export type CalendarUnit = 'day' | 'month';

const hourMs = 3_600_000;

/** Makes a calendar. Throws a `RangeError` for a time zone that the machine doesn't know. */
export function createCalendar(unit: CalendarUnit, timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  const dateAt = (atMs: number): LocalDate => readDate(format, atMs);
  let known: readonly number[] = [];
  return {
    boundariesAround(nowMs) {
      const [, startUs = Number.POSITIVE_INFINITY, endUs = 0] = known;
      if (nowMs * 1_000 >= startUs && nowMs * 1_000 < endUs) return known;
      const today = dateAt(nowMs);
      known = [-1, 0, 1, 2].map((step) => firstInstantOf(dateAt, shift(today, unit, step)) * 1_000);
      return known;
    },
  };
}

/** A date as the number of days since the epoch, if days were all alike. */
type LocalDate = number;

function readDate(format: Intl.DateTimeFormat, atMs: number): LocalDate {
  const parts = format.formatToParts(atMs);
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return toDate(read('year'), read('month') - 1, read('day'));
}

function toDate(year: number, month: number, day: number): LocalDate {
  return Date.UTC(year, month, day) / (24 * hourMs);
}

/** The first day of the unit that lies `step` units after the one of a date. */
function shift(date: LocalDate, unit: CalendarUnit, step: number): LocalDate {
  if (unit === 'day') return date + step;
  const utc = new Date(date * 24 * hourMs);
  return toDate(utc.getUTCFullYear(), utc.getUTCMonth() + step, 1);
}

/** When a date begins, to the second: at midnight, or later where the clock skips midnight. */
function firstInstantOf(dateAt: (atMs: number) => LocalDate, date: LocalDate): number {
  // Local time is never more than 15 hours off UTC.
  let beforeMs = (date * 24 - 16) * hourMs;
  let afterMs = (date * 24 + 16) * hourMs;
  while (afterMs - beforeMs > 1_000) {
    const middleMs = Math.floor((beforeMs + afterMs) / 2_000) * 1_000;
    if (dateAt(middleMs) >= date) afterMs = middleMs;
    else beforeMs = middleMs;
  }
  return afterMs;
}
