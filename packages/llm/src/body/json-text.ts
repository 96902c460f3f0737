/**
 * Reads single members out of JSON text without parsing the whole of it. Inside of a string a quote is escaped, so no key is found there by mistake.
 *
 * A key is given with its closing quote, such as `usage"`. This is done for every event of a stream: a search is fast where its first character is rare,
 * and slow where that is a quote.
 */
export type Key = `${string}"`;

/** Where the value of the first member of this name begins, at whatever depth; -1 where there is none. */
export function valueAt(text: string, key: Key): number {
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    if (text.charCodeAt(at - 1) !== quote) continue;
    const next = skipSpace(text, at + key.length);
    if (text.charCodeAt(next) === colon) return skipSpace(text, next + 1);
  }
  return -1;
}

/** Whether there is a member of this name whose value is a text that is not empty. */
export function holdsText(text: string, key: Key): boolean {
  const at = valueAt(text, key);
  return at >= 0 && text.charCodeAt(at) === quote && text.charCodeAt(at + 1) !== quote;
}

/** How long the text of the first member of this name is, as it is written; 0 where it holds anything else. */
export function lengthOfText(text: string, key: Key): number {
  const at = valueAt(text, key);
  if (at < 0 || text.charCodeAt(at) !== quote) return 0;
  const end = endOfString(text, at);
  return end < 0 ? text.length - at : end - at - 1;
}

/** Whether the value of the first member of this name begins with this character, such as `{`. */
export function holds(text: string, key: Key, first: string): boolean {
  const at = valueAt(text, key);
  return at >= 0 && text.startsWith(first, at);
}

/** The text that the first member of this name holds; undefined where it holds anything else. */
export function textAt(text: string, key: Key): string | undefined {
  const at = valueAt(text, key);
  if (at < 0 || text.charCodeAt(at) !== quote) return undefined;
  const end = endOfString(text, at);
  const value = end < 0 ? undefined : parseJson(text.slice(at, end + 1));
  return typeof value === 'string' ? value : undefined;
}

/** The place of the quote that ends the string which begins at `at`; -1 where none does. */
export function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return -1;
}

export function skipSpace(text: string, at: number): number {
  let next = at;
  for (let code = text.charCodeAt(next); code <= 0x20 && isSpace(code); code = text.charCodeAt(next)) next++;
  return next;
}

/** Bytes as characters of the same number: fast, and lossless for JSON's own words. */
export function toLatin1(bytes: Uint8Array): string {
  return latin1Slice.call(bytes);
}

/** What a buffer's `toString` does in the end: all bodies go through it, and to make a buffer of each piece and to ask that takes twice as long. */
const { latin1Slice } = Buffer.prototype as Buffer & Slicing;

interface Slicing {
  readonly latin1Slice: (this: Uint8Array) => string;
}

/** What a text says as JSON; undefined where it is none. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const known = text.length <= longestWord ? words.get(text) : undefined;
  return known ?? parsed(text);
}

/** Names of models, reasons, numbers: the same few come with every call, and to find one takes a tenth of parsing it. */
const words = new Map<string, string | number | boolean>();
const longestWord = 64;
/** Anybody may make some up. */
const mostWords = 1_000;

function parsed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return value;
  // Not under the text itself: it is a part of a larger one, which it would keep.
  const written = JSON.stringify(value);
  if (written !== text || text.length > longestWord) return value;
  if (words.size >= mostWords) words.clear();
  words.set(written, value);
  return value;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
