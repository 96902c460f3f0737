/** Days of UTC as text, `2026-11-28`: they compare as they follow each other. */
import { requireOption } from '@sage-adk/core';

const dayMs = 86_400_000;

export function dayAt(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

export function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

export function plusDays(day: string, days: number): string {
  return dayAt(startOf(day) + days * dayMs);
}

/** Every day of a range, the first and the last included. */
export function daysOf(from: string, to: string): readonly string[] {
  const count = Math.round((startOf(to) - startOf(from)) / dayMs) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => plusDays(from, i));
}

/** The last day of the month that `day` is in. */
export function monthEnd(day: string): string {
  const date = new Date(startOf(day));
  return dayAt(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0));
}

export function requireDay(name: string, day: string): string {
  return requireOption(name, day, 'a day such as 2026-11-28', (text) => {
    return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(startOf(text)) && dayAt(startOf(text)) === text;
  });
}
