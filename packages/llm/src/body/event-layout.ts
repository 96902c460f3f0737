import { type Key, valueAt } from './json-text.ts';

/**
 * What the events of a stream have in common that say nothing but a piece of text: all of it but a few values.
 *
 * Nearly all events are such, and what is known of one is known of the next: to see that two are alike takes less than looking for two of the members that
 * could be in one.
 */
export class EventLayout {
  /** What stands around the values that differ, from the first byte of the event to its empty line. Empty where nothing was learnt. */
  #parts: readonly string[] = [];
  /** Which part the piece of text stands behind. */
  #piece = 0;
  /** What to learn one may cost. Where no event is like the one before, nothing is learnt any more. */
  #credit = mostCredit;
  #codes = 0;
  /** Where in the event its data begins. */
  dataFrom = 0;
  /** Of the event that was matched last: the length of its piece of text, as it is written. */
  textLength = 0;

  get mayLearn(): boolean {
    return this.#credit >= costOfLearning;
  }

  /** Whether the event that was matched last is ASCII. */
  get isAscii(): boolean {
    return this.#codes < 0x80;
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
    if (parts.some((part) => unusual.test(part))) return;
    this.#piece = values.indexOf(text);
    // Copies: slices would keep the event, and take longer to compare.
    this.#parts = parts.map((part) => Buffer.from(part, 'latin1').toString('latin1'));
  }

  #around(event: string, values: readonly number[]): readonly string[] {
    const parts: string[] = [];
    let end = 0;
    for (const value of values) {
      const at = this.dataFrom + value;
      const from = event.startsWith('"', at) ? at + 1 : at;
      parts.push(event.slice(end, from));
      end = this.#endOfValue(event, from);
      if (end < 0 || !afterValue.test(event.slice(end, end + 2))) return [];
    }
    return [...parts, event.slice(end)];
  }

  /** Where the event ends that begins at `at`; -1 where it is not like the one that was learnt, or has no text. */
  match(text: string, at: number): number {
    const parts = this.#parts;
    const first = parts[0];
    if (first === undefined) return -1;
    let end = at + first.length;
    // Slices that are compared take a third of `startsWith`, which looks at one character after the other.
    if (text.slice(at, end) !== first) return -1;
    this.#codes = 0;
    for (let index = 1; index < parts.length; index++) {
      const part = parts[index] as string;
      const from = end;
      const to = this.#endOfValue(text, from);
      if (to < 0) return -1;
      end = to + part.length;
      if (text.slice(to, end) !== part) return -1;
      if (index - 1 === this.#piece) this.textLength = to - from;
    }
    if (this.textLength === 0) return -1;
    if (this.#credit < mostCredit) this.#credit++;
    return end;
  }

  /** Where the text or the whole number ends that begins at `from`, its quote not included; -1 where it is neither. */
  #endOfValue(text: string, from: number): number {
    if (text.charCodeAt(from - 1) !== quote) return endOfDigits(text, from);
    let codes = this.#codes;
    for (let at = from; ; at++) {
      let code = text.charCodeAt(at);
      if (code === quote) {
        this.#codes = codes;
        return at;
      }
      if (code === backslash) code = text.charCodeAt(++at);
      // Not a number behind the end.
      if (!(code >= space)) return -1;
      codes |= code;
    }
  }
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

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= zero && text.charCodeAt(at) <= nine) at++;
  return at;
}

const zero = 0x30;
const nine = 0x39;
