/** Header fields as any library hands them over: fetch's `Headers`, node's object, a plain record. */
export type HeaderFields =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The first value of a header field, whatever its spelling; undefined where it is missing. */
export function headerOf(fields: HeaderFields, name: string): string | undefined {
  if (typeof fields['get'] === 'function') return (fields as Headers).get(name) ?? undefined;
  const record = fields as Readonly<Record<string, string | readonly string[] | undefined>>;
  const value = record[name] ?? record[Object.keys(record).find((key) => key.toLowerCase() === name) ?? name];
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * Milliseconds to wait that a response asks for, or undefined where it says nothing usable.
 *
 * Reads `retry-after-ms` and `x-ms-retry-after-ms` (milliseconds), then `retry-after` as seconds or as an HTTP date.
 *
 * @param nowMs wall-clock time that a date is compared with.
 * @see RFC 9110, section 10.2.3
 */
export function parseRetryAfter(fields: HeaderFields, nowMs: number = Date.now()): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const wait = positive(headerOf(fields, name));
    if (wait !== undefined) return wait;
  }
  const value = headerOf(fields, 'retry-after');
  if (value === undefined) return undefined;
  const seconds = positive(value);
  if (seconds !== undefined) return seconds * 1_000;
  const atMs = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function positive(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
