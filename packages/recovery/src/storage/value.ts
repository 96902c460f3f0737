import { storageErrors } from './errors.ts';

/** The JSON text of a value. Rejects what has none, such as undefined, a function or a cycle, with `SAGE_STORAGE_NOT_JSON`. */
export function jsonOf(key: string, value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw storageErrors.NOT_JSON({ key }, { cause });
  }
  if (json === undefined) throw storageErrors.NOT_JSON({ key });
  return json;
}

const last = '\u{10ffff}';
const lastEscaped = '\\u{10ffff}';

/**
 * A key as servers can hold it: without zero bytes and lone surrogates, two keys never the same text, a key's prefix still its prefix. Sorts below its
 * prefix followed by U+10FFFF.
 */
export function escapeKey(key: string): string {
  return JSON.stringify(key).slice(1, -1).replaceAll(last, lastEscaped);
}

export function unescapeKey(escaped: string): string {
  if (!escaped.includes('\\')) return escaped;
  // Escape by escape: what follows an escaped backslash is text of the key, whatever it looks like.
  const json = escaped.replaceAll(/\\(?:u\{10ffff\}|.)/g, (escape) => (escape === lastEscaped ? last : escape));
  return JSON.parse(`"${json}"`) as string;
}

/** The least text above an escaped key, as keys hold no control characters: where a list goes on that ended with it. */
export function justAbove(escaped: string): string {
  return `${escaped}\u0001`;
}
