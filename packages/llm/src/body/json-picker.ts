import { parseJson } from './json-text.ts';

/** A place that is wanted, or on the way to one. */
interface Place {
  /** Set where the value itself is wanted. */
  path?: string;
  readonly members: Map<string, Place>;
}

/** An object or array that is open and on the way to a wanted place. */
interface Frame {
  readonly isArray: boolean;
  readonly place: Place;
  /** Place of the member that is being read. */
  member: Place | undefined;
  expectsKey: boolean;
}

/** Text that is being kept: the value at a path, or a key where there is no path. */
interface Recording {
  readonly path: string | undefined;
  text: string;
}

// A usage is some hundred bytes; what is longer is not what was meant.
const longestRecording = 65_536;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Picks a few members out of a JSON text that comes in pieces, and keeps nothing else of it.
 *
 * An answer may be megabytes of text or numbers of which a hundred bytes matter; it is neither gathered nor parsed as a whole. What is not JSON, or
 * not an object, yields nothing.
 * Bytes are read as characters of the same number (latin1).
 */
export class JsonPicker {
  readonly #root: Place;
  readonly #picked = new Map<string, unknown>();
  readonly #frames: Frame[] = [];
  /** How deep in objects and arrays that hold nothing wanted. */
  #skipped = 0;
  #inString = false;
  #escaped = false;
  #done = false;
  #recording: Recording | undefined;
  #recordedFrom = 0;

  /** @param paths names of members joined by dots, none inside another; the elements of an array stand where the array does, and the first value counts. */
  constructor(paths: readonly string[]) {
    let root = roots.get(paths);
    if (root === undefined) roots.set(paths, (root = rootOf(paths)));
    this.#root = root;
  }

  get(path: string): unknown {
    return this.#picked.get(path);
  }

  /** @param text the next bytes, each a character. */
  write(text: string): void {
    this.#recordedFrom = 0;
    for (let at = 0; at < text.length && !this.#done; at++) {
      if (this.#inString) {
        at = this.#endOfString(text, at);
        if (at < 0) break;
        this.#inString = false;
        if (this.#recording !== undefined && this.#recording.path === undefined) this.#endKey(text, at + 1);
      } else {
        if (this.#skipped > 0) at = nextStructure(text, at);
        this.#read(text.charCodeAt(at), text, at);
      }
    }
    this.#keep(text, text.length);
  }

  /** The quote that ends the string; -1 where it goes on in the next piece. */
  #endOfString(text: string, from: number): number {
    let start = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', start)) {
      if (backslashesBefore(text, end, start) % 2 === 0) return end;
      start = end + 1;
    }
    this.#escaped = backslashesBefore(text, text.length, start) % 2 === 1;
    return -1;
  }

  #read(byte: number, text: string, at: number): void {
    switch (byte) {
      case quote:
        this.#inString = true;
        if (this.#skipped === 0 && this.#frames.at(-1)?.expectsKey === true) this.#record(undefined, at);
        return;
      case 0x3a: // :
        if (this.#skipped === 0) this.#beginValue(at + 1);
        return;
      case 0x2c: // ,
        if (this.#skipped === 0) this.#endValue(text, at);
        return;
      case 0x7b: // {
      case 0x5b: // [
        this.#open(byte === 0x5b);
        return;
      case 0x7d: // }
      case 0x5d: // ]
        if (this.#skipped > 0) this.#skipped--;
        else this.#close(text, at);
        return;
      default:
        // Nothing but an object was begun.
        if (this.#frames.length === 0 && byte > 0x20) this.#done = true;
    }
  }

  #open(isArray: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      if (isArray) this.#done = true;
      else this.#frames.push({ isArray, place: this.#root, member: undefined, expectsKey: true });
      return;
    }
    const place = frame.isArray ? frame.place : frame.member;
    const leadsOn = this.#skipped === 0 && place !== undefined && place.members.size > 0;
    if (leadsOn && !(isArray && frame.isArray)) {
      this.#frames.push({ isArray, place, member: undefined, expectsKey: !isArray });
    } else this.#skipped++;
  }

  #close(text: string, at: number): void {
    this.#endValue(text, at);
    this.#frames.pop();
    if (this.#frames.length === 0) this.#done = true;
  }

  #endKey(text: string, at: number): void {
    const recorded = this.#endRecording(text, at);
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    const { members } = frame.place;
    frame.expectsKey = false;
    frame.member = members.get(recorded.slice(1, -1));
    if (frame.member !== undefined || !recorded.includes('\\')) return;
    const key = parseJson(decoded(recorded));
    frame.member = typeof key === 'string' ? members.get(key) : undefined;
  }

  #beginValue(at: number): void {
    const path = this.#frames.at(-1)?.member?.path;
    if (path !== undefined && !this.#picked.has(path)) this.#record(path, at);
  }

  #endValue(text: string, at: number): void {
    const path = this.#recording?.path;
    if (path !== undefined) {
      const recorded = this.#endRecording(text, at);
      const value = recorded.length > longestRecording ? undefined : valueOf(recorded);
      if (value !== undefined) this.#picked.set(path, value);
    }
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.member = undefined;
    frame.expectsKey = !frame.isArray;
  }

  #record(path: string | undefined, from: number): void {
    this.#recording = { path, text: '' };
    this.#recordedFrom = from;
  }

  #keep(text: string, until: number): void {
    const recording = this.#recording;
    if (recording === undefined) return;
    recording.text += text.slice(this.#recordedFrom, until);
    // One character more than the longest is enough to know that it is too long.
    if (recording.text.length > longestRecording) recording.text = recording.text.slice(0, longestRecording + 1);
  }

  #endRecording(text: string, until: number): string {
    this.#keep(text, until);
    const recorded = this.#recording?.text ?? '';
    this.#recording = undefined;
    return recorded;
  }
}

/** Made once for each list of paths: every answer is read by one of a few. */
const roots = new WeakMap<readonly string[], Place>();

function rootOf(paths: readonly string[]): Place {
  const root: Place = { members: new Map() };
  for (const path of paths) {
    let place = root;
    for (const name of path.split('.')) {
      const member = place.members.get(name) ?? { members: new Map() };
      place.members.set(name, member);
      place = member;
    }
    place.path = path;
  }
  return root;
}

/** Strings of plain ASCII, as most are, stand as they are. */
function valueOf(recorded: string): unknown {
  const text = decoded(recorded.trim());
  const isPlain = text.charCodeAt(0) === quote && !text.includes('\\') && plainString.test(text);
  return isPlain ? text.slice(1, -1) : parseJson(text);
}

const plainString = /^"[ !#-[\]-~]*"$/;

function decoded(text: string): string {
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) > 0x7f) return Buffer.from(text, 'latin1').toString();
  return text;
}

/** Where the next string or bracket is, from within something that is skipped. */
function nextStructure(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); at < text.length && !isStructure(code); code = text.charCodeAt(at)) at++;
  return at;
}

function isStructure(code: number): boolean {
  return code === quote || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d;
}

function backslashesBefore(text: string, at: number, from: number): number {
  let first = at;
  while (first > from && text.charCodeAt(first - 1) === backslash) first--;
  return at - first;
}
