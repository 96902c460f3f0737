/**
 * Finds a few members of a JSON object in its text, so that they can be read and changed while all other bytes stay as they are.
 *
 * A prompt may be megabytes of which a hundred bytes matter here: strings are skipped and nothing is made of what is not wanted.
 */
import { endOfString, skipSpace } from '../body/json-text.ts';

/** Where the text of a value stands. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface FoundMembers {
  /** Just after the brace that opens the object: a member may be put there. */
  readonly start: number;
  readonly isEmpty: boolean;
  /** The last of each name, as parsing would have it. */
  readonly spans: ReadonlyMap<string, Span>;
  /** Strings of at least {@link longString} characters, such as images, wherever they are. */
  readonly long: readonly Span[];
}

export const longString = 8_192;

/** The members at the top of the object that begins at `from`; undefined where none does, as far as this can tell. */
export function findMembers(text: string, wanted: ReadonlySet<string>, from = 0): FoundMembers | undefined {
  const start = skipSpace(text, from) + 1;
  if (text.charCodeAt(start - 1) !== openBrace) return undefined;
  const spans = new Map<string, Span>();
  const long: Span[] = [];
  let at = skipSpace(text, start);
  if (text.charCodeAt(at) === closeBrace) return { start, isEmpty: true, spans, long };
  for (;;) {
    const keyEnd = text.charCodeAt(at) === quote ? endOfString(text, at) : -1;
    const colonAt = keyEnd < 0 ? -1 : skipSpace(text, keyEnd + 1);
    if (colonAt < 0 || text.charCodeAt(colonAt) !== colon) return undefined;
    const valueAt = skipSpace(text, colonAt + 1);
    const to = endOfValue(text, valueAt, long);
    if (to <= valueAt) return undefined;
    const name = text.slice(at + 1, keyEnd);
    if (wanted.has(name)) spans.set(name, { from: valueAt, to });
    at = skipSpace(text, to);
    if (text.charCodeAt(at) === closeBrace) return { start, isEmpty: false, spans, long };
    if (text.charCodeAt(at) !== comma) return undefined;
    at = skipSpace(text, at + 1);
  }
}

const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The place after the value that begins at `from`; -1 where none ends. */
function endOfValue(text: string, from: number, long: Span[]): number {
  const first = text.charCodeAt(from);
  if (first === quote) return endOfText(text, from, long);
  if (first !== openBrace && first !== openBracket) return endOfPlain(text, from);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfText(text, at, long) - 1;
        if (at < 0) return -1;
        break;
      case openBrace:
      case openBracket:
        depth++;
        break;
      case closeBrace:
      case closeBracket:
        depth--;
        if (depth === 0) return at + 1;
        break;
      default:
    }
  }
  return -1;
}

function endOfText(text: string, from: number, long: Span[]): number {
  const end = endOfString(text, from);
  if (end - from >= longString) long.push({ from: from + 1, to: end });
  return end < 0 ? -1 : end + 1;
}

/** A number, true, false or null. */
function endOfPlain(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); isPlain(code); code = text.charCodeAt(at)) at++;
  return at;
}

function isPlain(code: number): boolean {
  return code > 0x20 && code !== comma && code !== closeBrace && code !== closeBracket;
}
