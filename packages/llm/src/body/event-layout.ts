import { type Key, valueAt } from './json-text.ts';

/**
 * What the events of a stream have in common that say nothing but a piece of text: all of it but a few values.
 *
 * Nearly all events are such, and what is known of one is known of the next: to see that two are alike takes less than looking for two of the members that
 * could be in one.
 */
export class EventLayout {
  /** What stands around the values that differ, from the first byte of the event to its empty line. Empty where nothing was learnt. */
  #parts: readonly (readonly number[])[] = [];
  /** What the first of them begins with, four bytes at a time. */
  #words: readonly number[] = [];
  /** Which part the piece of text stands behind. */
  #piece = 0;
  /** What to learn one may cost. Where no event is like the one before, nothing is learnt any more. */
  #credit = mostCredit;
  /** Where in the event its data begins. */
  dataFrom = 0;
  /** Of the event that was matched last: the length of its piece of text, as it is written. */
  textLength = 0;
  /** Whether a backslash is in it; only then need the event not be JSON. */
  hasEscape = false;

  get mayLearn(): boolean {
    return this.#credit >= costOfLearning;
  }

  /** @param event the whole of it. @param piece the name of its piece of text. @param others names of values that differ from event to event and mean nothing. */
  learn(event: string, data: string, piece: Key, others: readonly Key[]): void {
    this.#credit -= costOfLearning;
    this.#parts = [];
    this.dataFrom = event.length - data.length - 2;
    if (!event.endsWith(`${data}\n\n`) || !head.test(event.slice(0, this.dataFrom))) return;
    const text = valueAt(data, piece);
    const noise = others.map((key) => valueAt(data, key)).filter((at) => textOrNumber.test(data.charAt(at)));
    const values = [text, ...noise].sort((a, b) => a - b);
    const parts = this.#around(event, values);
    if (parts.length === 0 || parts.some((part) => unusual.test(part))) return;
    this.#piece = values.indexOf(text);
    const [first = [], ...rest] = parts.map((part) => [...Buffer.from(part, 'latin1')]);
    this.#words = [...words.subarray(0, first.length >> 2)];
    this.#parts = [first.slice(4 * this.#words.length), ...rest];
  }

  #around(event: string, values: readonly number[]): readonly string[] {
    const size = look(Buffer.from(event, 'latin1'), 0);
    if (size < event.length) return [];
    const parts: string[] = [];
    let end = 0;
    for (const value of values) {
      const at = this.dataFrom + value;
      const from = event.startsWith('"', at) ? at + 1 : at;
      parts.push(event.slice(end, from));
      end = this.#endOfValue(from, size);
      if (end < 0 || !afterValue.test(event.slice(end, end + 2))) return [];
    }
    return [...parts, event.slice(end)];
  }

  /** Where the event ends that begins at `at`; -1 where it is not like the one that was learnt, or has no text. */
  match(chunk: Uint8Array, at: number): number {
    const parts = this.#parts;
    if (parts.length === 0) return -1;
    this.hasEscape = false;
    const size = look(chunk, at);
    let end = behindWords(this.#words, size);
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] as readonly number[];
      const from = end;
      if (index > 0) end = this.#endOfValue(from, size);
      if (index - 1 === this.#piece) this.textLength = end - from;
      end = behind(part, end, size);
      if (end < 0) return -1;
    }
    if (this.textLength === 0) return -1;
    if (this.#credit < mostCredit) this.#credit++;
    return at + end;
  }

  /** Where the text or the whole number ends that begins at `from`, its quote not included; -1 where it is neither. */
  #endOfValue(from: number, size: number): number {
    if (bytes[from - 1] !== quote) return endOfDigits(from, size);
    for (let at = from; at < size; at++) {
      let code = bytes[at] as number;
      if (code === quote) return at;
      if (code === backslash && at + 1 < size) {
        this.hasEscape = true;
        code = bytes[++at] as number;
      }
      if (code < space) return -1;
    }
    return -1;
  }
}

/** The bytes that are looked at, an event first: they are compared here, since of this one array V8 knows where it is, and four at a time can be compared. */
const bytes = new Uint8Array(16_384);
const words = new Int32Array(bytes.buffer);

/** Looks at the bytes of a chunk from `at` on. Returns how many it sees. */
function look(chunk: Uint8Array, at: number): number {
  const seen = at === 0 && chunk.length <= bytes.length ? chunk : chunk.subarray(at, at + bytes.length);
  bytes.set(seen);
  return seen.length;
}

/** In events that are like the one before. */
const costOfLearning = 8;
const mostCredit = 4 * costOfLearning;
const quote = 0x22;
const backslash = 0x5c;
const space = 0x20;
const textOrNumber = /["\d]/;
const head = /^(?:event:[^\n]*\n)?data: ?$/;
/** Not a colon: a text ahead of one is a name. */
const afterValue = /^"?[,}]/;
/** A name that is written with escapes may be any name. */
const unusual = /[\\\x80-\xff]/;

/** Where these end, which begin with the first byte; -1 where they do not stand there. */
function behindWords(wanted: readonly number[], size: number): number {
  const end = 4 * wanted.length;
  if (end > size) return -1;
  for (let next = 0; next < wanted.length; next++) if (words[next] !== wanted[next]) return -1;
  return end;
}

/** Where this part ends that begins at `at`; -1 where it does not stand there. */
function behind(part: readonly number[], at: number, size: number): number {
  const { length } = part;
  if (at < 0 || at + length > size) return -1;
  for (let next = 0; next < length; next++) if (bytes[at + next] !== part[next]) return -1;
  return at + length;
}

function endOfDigits(from: number, size: number): number {
  let at = from;
  while (at < size && (bytes[at] as number) >= zero && (bytes[at] as number) <= nine) at++;
  return at === from || (at > from + 1 && bytes[from] === zero) ? -1 : at;
}

const zero = 0x30;
const nine = 0x39;
