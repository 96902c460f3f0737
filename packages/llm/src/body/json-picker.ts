/**
 * Picks a few members out of a JSON text that comes in pieces, and keeps nothing else of it.
 *
 * An answer may be megabytes of text or numbers of which a hundred bytes matter; it is neither gathered nor parsed as a whole. What is not JSON, or
 * not an object, yields nothing.
 */
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
  readonly parts: Uint8Array[];
  size: number;
}

// A usage is some hundred bytes; what is longer is not what was meant.
const longestRecording = 65_536;
const quote = 0x22;
const backslash = 0x5c;

export class JsonPicker {
  readonly #root: Place = { members: new Map() };
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
    for (const path of paths) {
      let place = this.#root;
      for (const name of path.split('.')) {
        const member = place.members.get(name) ?? { members: new Map() };
        place.members.set(name, member);
        place = member;
      }
      place.path = path;
    }
  }

  get(path: string): unknown {
    return this.#picked.get(path);
  }

  write(chunk: Uint8Array): void {
    this.#recordedFrom = 0;
    for (let i = 0; i < chunk.length && !this.#done; i++) {
      const byte = chunk[i] as number;
      if (this.#inString) this.#readInString(byte, chunk, i);
      else this.#read(byte, chunk, i);
    }
    this.#keep(chunk, chunk.length);
  }

  #readInString(byte: number, chunk: Uint8Array, at: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) {
      this.#inString = false;
      if (this.#recording !== undefined && this.#recording.path === undefined) this.#endKey(chunk, at + 1);
    }
  }

  #read(byte: number, chunk: Uint8Array, at: number): void {
    switch (byte) {
      case quote:
        this.#inString = true;
        if (this.#skipped === 0 && this.#frames.at(-1)?.expectsKey === true) this.#record(undefined, at);
        return;
      case 0x3a: // :
        if (this.#skipped === 0) this.#beginValue(at + 1);
        return;
      case 0x2c: // ,
        if (this.#skipped === 0) this.#endValue(chunk, at);
        return;
      case 0x7b: // {
      case 0x5b: // [
        this.#open(byte === 0x5b);
        return;
      case 0x7d: // }
      case 0x5d: // ]
        if (this.#skipped > 0) this.#skipped--;
        else this.#close(chunk, at);
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

  #close(chunk: Uint8Array, at: number): void {
    this.#endValue(chunk, at);
    this.#frames.pop();
    if (this.#frames.length === 0) this.#done = true;
  }

  #endKey(chunk: Uint8Array, at: number): void {
    const key = this.#endRecording(chunk, at);
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.expectsKey = false;
    frame.member = typeof key === 'string' ? frame.place.members.get(key) : undefined;
  }

  #beginValue(at: number): void {
    const path = this.#frames.at(-1)?.member?.path;
    if (path !== undefined && !this.#picked.has(path)) this.#record(path, at);
  }

  #endValue(chunk: Uint8Array, at: number): void {
    const path = this.#recording?.path;
    if (path !== undefined) {
      const value = this.#endRecording(chunk, at);
      if (value !== undefined) this.#picked.set(path, value);
    }
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.member = undefined;
    frame.expectsKey = !frame.isArray;
  }

  #record(path: string | undefined, from: number): void {
    this.#recording = { path, parts: [], size: 0 };
    this.#recordedFrom = from;
  }

  /** Copies what was recorded of this chunk: the chunk itself belongs to the consumer. */
  #keep(chunk: Uint8Array, until: number): void {
    const recording = this.#recording;
    if (recording === undefined) return;
    recording.size += until - this.#recordedFrom;
    if (recording.size <= longestRecording)
      recording.parts.push(new Uint8Array(chunk.subarray(this.#recordedFrom, until)));
    else recording.parts.length = 0;
  }

  /** The value that was recorded; undefined where it is no JSON or too long. */
  #endRecording(chunk: Uint8Array, until: number): unknown {
    this.#keep(chunk, until);
    const parts = this.#recording?.parts ?? [];
    this.#recording = undefined;
    try {
      return JSON.parse(Buffer.concat(parts).toString());
    } catch {
      return undefined;
    }
  }
}
