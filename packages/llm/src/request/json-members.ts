/**
 * Finds a few members of a JSON object in its text, so that they can be read and changed while all other bytes stay as they are.
 *
 * A prompt may be megabytes of which a hundred bytes matter here: it is gone through once, strings are skipped, and nothing is made of what is not wanted.
 */
import { endOfString, parseJson, skipSpace } from '../body/json-text.ts';
import { meaningOf } from './words.ts';

/** Where the text of a value stands. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A member that is wanted, or that has one within. */
export interface Place {
  readonly name: string;
  /** Of its span among those found. */
  readonly index: number;
  /** The member it is in; undefined at the top. */
  readonly outer: Place | undefined;
  /** As most write it, with the colon. */
  readonly written: string;
  /** The same without the colon, as codes of its characters. */
  readonly codes: readonly number[];
  readonly inner: Place[];
  /** Whether it may be in the first element of a list as well. */
  readonly inList: boolean;
  /** What was read here the last time: the same few come with every call, and to compare takes a tenth of parsing. */
  latest: Known;
}

interface Known {
  /** The codes of its characters. */
  readonly written: readonly number[];
  readonly value: unknown;
}

/** What to look for. Made once and for all. */
export interface Wanted {
  /** One for each path. */
  readonly places: readonly Place[];
  /** Those at the top of the object. */
  readonly top: readonly Place[];
  /** Of all places, those around others included. */
  readonly count: number;
  readonly noticesWords: boolean;
}

/** @param paths names of members, joined by dots. @param inList whether the first element of a list stands for the list, as in answers: there no words are noticed. */
export function wantMembers(paths: readonly string[], inList = false): Wanted {
  const top: Place[] = [];
  let count = 0;
  const add = (siblings: Place[], name: string, outer: Place | undefined): Place => {
    const quoted = JSON.stringify(name);
    const codes = codesOf(quoted);
    const index = count++;
    const place: Place = { name, index, outer, written: `${quoted}:`, codes, inner: [], inList, latest: nothing };
    siblings.push(place);
    return place;
  };
  const find = (outer: Place | undefined, name: string): Place => {
    const siblings = outer?.inner ?? top;
    return siblings.find((one) => one.name === name) ?? add(siblings, name, outer);
  };
  const places = paths.map((path) => path.split('.').reduce<Place | undefined>(find, undefined) as Place);
  return { places, top, count, noticesWords: !inList };
}

const nothing: Known = { written: [], value: undefined };

function codesOf(text: string): number[] {
  return text.split('').map((unit) => unit.charCodeAt(0));
}

export interface FoundMembers {
  /** Just after the brace that opens the object: a member may be put there. */
  readonly start: number;
  /** By the index of their place; the last of each name, as parsing would have it. */
  readonly spans: (Span | undefined)[];
  /** Strings of at least {@link longString} characters, such as images, wherever they are. */
  readonly long: Span[];
  /** What strings say that are such a word, wherever they are; of requests. */
  words: number;
  readonly noticesWords: boolean;
}

export const longString = 8_192;

/** The members of the object that a text is; undefined where it is none, as far as this can tell. */
export function findMembers(text: string, wanted: Wanted): FoundMembers | undefined {
  const open = openOf(text);
  if (open < 0) return undefined;
  const { count, noticesWords } = wanted;
  const spans = Array<Span | undefined>(count);
  const found: FoundMembers = { start: open + 1, spans, long: [], words: 0, noticesWords };
  return endOfObject(text, open, wanted.top, found) < 0 ? undefined : found;
}

/** Where the object opens, which mostly is at once; -1 where there is none. */
function openOf(text: string): number {
  if (text.charCodeAt(0) === openBrace) return 0;
  const at = skipSpace(text, 0);
  return text.charCodeAt(at) === openBrace ? at : -1;
}

/** What a member holds; undefined where there is none. */
export function valueOf(text: string, { spans }: FoundMembers, place: Place): unknown {
  const span = spans[place.index];
  if (span === undefined) return undefined;
  const { from, to } = span;
  const { written, value } = place.latest;
  if (written.length === to - from && isWritten(text, from, written)) return value;
  return read(text.slice(from, to), place);
}

function read(text: string, place: Place): unknown {
  const value = parseJson(text);
  if (typeof value === 'object' || text.length > longestKnown) return value;
  // Not under the text itself: it is a part of a larger one, which it would keep.
  const written = JSON.stringify(value);
  if (written === text) place.latest = { written: codesOf(written), value };
  return value;
}

const longestKnown = 64;

/**
 * What a member holds, of those members that are wanted within, where they are numbers; undefined where it is no object. To find a few numbers takes less than
 * to parse all that is with them.
 */
export function countsOf(
  text: string,
  found: FoundMembers,
  { index, inner }: Place,
): Readonly<Record<string, unknown>> | undefined {
  const span = found.spans[index];
  if (span === undefined || text.charCodeAt(span.from) !== openBrace) return undefined;
  const counts: Record<string, unknown> = {};
  for (const place of inner) {
    const at = found.spans[place.index];
    if (at !== undefined) {
      counts[place.name] = place.inner.length === 0 ? countAt(text, at) : countsOf(text, found, place);
    }
  }
  return counts;
}

function countAt(text: string, { from, to }: Span): unknown {
  let count = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - zero;
    // Numbers may be written in other ways.
    if (digit < 0 || digit > 9) return parseJson(text.slice(from, to));
    count = count * 10 + digit;
  }
  return count;
}

const zero = 0x30;

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * The place after the object that opens there; -1 where it does not end. One loop goes through all that is in it, and asks for a character in as few places as
 * can be, since code that runs once a call costs by its length. `depth` is how deep it is in what is not wanted.
 */
function endOfObject(text: string, open: number, places: readonly Place[], found: FoundMembers): number {
  let place: Place | undefined;
  let isName = true;
  let depth = 0;
  // Where the value begins, -1 before it does, and how far it goes.
  let from = open;
  let to = open;
  const { length } = text;
  for (let at = open + 1; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20) continue;
    if (from < 0) from = at;
    switch (code) {
      case quote: {
        const usual = isName ? endOfName(text, at) : -1;
        const end = usual < 0 ? endOfString(text, at) : usual;
        if (end < 0) return -1;
        if (isName) place = usual < 0 ? rarePlace(text, at, end, places) : placeAt(text, at, end, places);
        notice(text, at, end, found);
        at = end;
        break;
      }
      case colon:
        if (!isName) break;
        isName = false;
        from = -1;
        if (place !== undefined) forget(place, found);
        break;
      case openBrace:
      case openBracket:
        if (code === openBrace && place !== undefined && isAround(place, at - from, to - from, depth)) {
          at = endOfObject(text, at, place.inner, found) - 1;
          if (at < 0) return -1;
        } else depth++;
        break;
      case comma:
      case closeBrace:
      case closeBracket:
        if (code === comma ? depth > 0 : depth-- > 0) break;
        if (place !== undefined) found.spans[place.index] = { from, to };
        if (code !== comma) return at + 1;
        place = undefined;
        isName = true;
        break;
      default:
    }
    to = at + 1;
  }
  return -1;
}

/** Whether wanted members are in the object that begins there: it is the value, or the first element of it. */
function isAround({ inner, inList }: Place, begins: number, before: number, depth: number): boolean {
  return inner.length > 0 && (begins === 0 || (inList && depth === 1 && before === 1));
}

/** The place of the quote that ends a name as most are: short and without escapes; -1 for any other. */
function endOfName(text: string, from: number): number {
  for (let at = from + 1; at < from + longestName; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) return -1;
  }
  return -1;
}

const longestName = 64;

/** Which member a name is. */
function placeAt(text: string, from: number, end: number, places: readonly Place[]): Place | undefined {
  for (const place of places)
    if (place.codes.length === end - from + 1 && isWritten(text, from, place.codes)) return place;
  return undefined;
}

/** V8 would ask of either text for each character how it is kept. */
function isWritten(text: string, from: number, codes: readonly number[]): boolean {
  for (let next = 0; next < codes.length; next++) if (text.charCodeAt(from + next) !== codes[next]) return false;
  return true;
}

/** Which member a name is that is escaped, as few are. */
function rarePlace(text: string, from: number, end: number, places: readonly Place[]): Place | undefined {
  const name = parseJson(text.slice(from, end + 1));
  return places.find((place) => place.name === name);
}

/** What else matters of a string. */
function notice(text: string, from: number, end: number, found: FoundMembers): void {
  if (end - from >= longString) found.long.push({ from: from + 1, to: end });
  else if (found.noticesWords) found.words |= meaningOf(text, from, end + 1);
}

/** Of an earlier member of the same name nothing counts. */
function forget({ index, inner }: Place, found: FoundMembers): void {
  if (found.spans[index] === undefined) return;
  found.spans[index] = undefined;
  for (const place of inner) forget(place, found);
}
