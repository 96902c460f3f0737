/** Header fields as any library hands them over: fetch's `Headers`, node's object, a plain record. */
export type HeaderFields =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The first value of a header field, whatever its spelling; undefined where it is missing or, as metadata of a peer may be, no text. */
export function headerOf(fields: HeaderFields, name: string): string | undefined {
  const value = typeof fields['get'] === 'function' ? (fields as Headers).get(name) : fieldOf(fields, name);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

function fieldOf(fields: HeaderFields, name: string): unknown {
  const record = fields as Readonly<Record<string, unknown>>;
  return record[name] ?? record[Object.keys(record).find((key) => key.toLowerCase() === name) ?? name];
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
  const atMs = date.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** The three forms of an HTTP date, and that of RFC 3339: `Date.parse` by itself finds a date in nearly any words. */
const date = /^\s*(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? [\w -]+ [\d:]{8} (?:GMT|\d{4})|\d{4}-\d\d-\d\dT\S+)\s*$/i;

const longest = 1e12;

/** Digits without end are a long wait, and finite. */
function positive(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Math.min(Number(value), longest) : undefined;
}
