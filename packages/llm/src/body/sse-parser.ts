/**
 * Finds the events in a stream of server-sent events that comes in pieces, wherever it is cut.
 *
 * It works on bytes as characters of the same number (latin1): lines are found without decoding, and a letter that is cut in two is whole again when its
 * line is. Lines end with LF or CRLF. Comments, ids and retry times are skipped; lines of data are joined.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class SseParser {
  readonly #onEvent: SseListener;
  #type = '';
  #data: string | undefined;
  #line = '';
  /** The event is longer than anything that matters here, and is not told of. */
  #tooLong = false;
  #stray = '';

  constructor(onEvent: SseListener) {
    this.#onEvent = onEvent;
  }

  /** JSON that stands outside of any event, as some servers say their errors. */
  get stray(): string {
    return this.#stray + (this.#line.startsWith('{') || this.#stray !== '' ? this.#line : '');
  }

  /** The event that the stream ended in: some servers leave out the empty line behind the last one. No client sees it. */
  rest(): { readonly type: string; readonly data: string } | undefined {
    const line = this.#line;
    this.#line = '';
    if (line !== '' && line !== '\r') this.#read(line, 0, line.length, 0);
    return this.#data === undefined || this.#tooLong ? undefined : { type: this.#type, data: this.#data };
  }

  /** Whether no event has begun of which more is to come. */
  get isIdle(): boolean {
    return this.#line.length === 0 && this.#data === undefined && this.#type.length === 0;
  }

  /** @param text the next bytes of the stream, each a character. @param begin where in it they begin. */
  write(text: string, begin = 0): void {
    let from = begin;
    for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', from)) {
      if (this.#line === '') this.#read(text, from, at, at + 1);
      else {
        const line = this.#line + text.slice(from, at);
        this.#line = '';
        this.#read(line, 0, line.length, at + 1);
      }
      from = at + 1;
    }
    this.#keep(from === 0 ? text : text.slice(from));
  }

  #read(text: string, from: number, until: number, end: number): void {
    const to = until > from && text.charCodeAt(until - 1) === carriageReturn ? until - 1 : until;
    if (to === from) this.#dispatch(end);
    else if (text.startsWith('data:', from)) this.#append(valueOf(text, from + 5, to));
    else if (text.startsWith('event:', from)) this.#type = valueOf(text, from + 6, to);
    else if (this.#stray !== '' || text.charCodeAt(from) === brace) this.#addStray(text.slice(from, to));
    else if (text.startsWith(byteOrderMark, from)) this.#read(text, from + byteOrderMark.length, until, end);
  }

  #dispatch(end: number): void {
    // Of one that is too long its name says whether it was the last.
    const data = this.#tooLong ? '' : this.#data;
    const type = this.#type;
    this.#data = undefined;
    this.#type = '';
    this.#tooLong = false;
    if (data !== undefined) this.#onEvent(type, data, end);
  }

  #append(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (this.#data.length <= longestEvent) return;
    this.#data = '';
    this.#tooLong = true;
  }

  #keep(rest: string): void {
    if (rest === '') return;
    // A concatenation is a rope: it is copied once, when the line is whole.
    this.#line += rest;
    if (this.#line.length <= longestEvent) return;
    // What is left of the line then reads as a comment.
    this.#line = ':';
    this.#tooLong = true;
  }

  #addStray(line: string): void {
    if (this.#stray.length < longestStray) this.#stray += line;
  }
}

/** @param end where in the text of the last `write` the event ends, its empty line included. */
export type SseListener = (type: string, data: string, end: number) => void;

const carriageReturn = 0x0d;
const brace = 0x7b;
/** The three bytes of U+FEFF. */
const byteOrderMark = '\u00ef\u00bb\u00bf';
/** Images come in events, and an answer may repeat all of them in its last one. */
const longestEvent = 32 * 1_024 * 1_024;
const longestStray = 65_536;

function valueOf(text: string, from: number, to: number): string {
  return text.slice(text.charCodeAt(from) === 0x20 && from < to ? from + 1 : from, to);
}
