import type { AnswerFacts, EventKind, StreamReader } from '../providers/api.ts';
import type { AnswerReader } from './answer-reader.ts';
import { EventLayout } from './event-layout.ts';
import { lengthOfText, parseJson, toLatin1 } from './json-text.ts';
import { SseParser } from './sse-parser.ts';

/** Reads an answer that comes as server-sent events, and hides the one that only we asked for. */
export class SseReader implements AnswerReader {
  readonly #stream: StreamReader;
  readonly #parser: SseParser;
  readonly #gate: EventGate | undefined;
  readonly #layout = new EventLayout();
  #text = '';
  /** Where in the text the event began that is read; -1 where that was in an earlier one. */
  #begin = 0;
  /** The data of the latest event, where it need not be JSON. */
  #latest = '';
  /** Of the events that were like the one before. */
  #alikeBytes = 0;
  #begunMalformed = false;
  whole = false;
  contents = 0;
  problem: string | undefined;

  constructor(stream: StreamReader, { hidesExtra }: { readonly hidesExtra: boolean }) {
    this.#stream = stream;
    this.#gate = hidesExtra ? new EventGate() : undefined;
    this.#parser = new SseParser((type, data, end) => this.#read(type, data, end));
  }

  get finished(): boolean {
    return this.whole || this.#stream.finished;
  }

  get contentBytes(): number {
    return this.#alikeBytes + this.#stream.contentBytes;
  }

  write(chunk: Uint8Array): Uint8Array | undefined {
    const { isIdle } = this.#parser;
    const gate = this.#gate;
    const alike = isIdle && gate?.isHolding !== true ? this.#readAlike(chunk) : 0;
    // Nearly always: one event, like the one before.
    return alike === chunk.length ? chunk : this.#readOther(chunk, alike, isIdle);
  }

  #readOther(chunk: Uint8Array, alike: number, isIdle: boolean): Uint8Array | undefined {
    const gate = this.#gate;
    const text = (this.#text = toLatin1(chunk));
    this.#begin = isIdle ? alike : -1;
    gate?.open(chunk, alike);
    this.#parser.write(text, alike);
    return gate === undefined ? chunk : gate.close();
  }

  /** Reads the events that are like the one before. Returns where they end. */
  #readAlike(chunk: Uint8Array): number {
    const layout = this.#layout;
    let at = 0;
    while (at < chunk.length) {
      const end = layout.match(chunk, at);
      if (end < 0) break;
      this.contents++;
      this.#alikeBytes += layout.textLength;
      this.#latest = layout.hasEscape ? toLatin1(chunk.subarray(at + layout.dataFrom, end)) : '';
      at = end;
    }
    return at;
  }

  end(): Uint8Array | undefined {
    if (this.#stream.finished) this.whole = true;
    const kind = this.#readRest();
    const { stray } = this.#parser;
    if (!this.whole && stray !== '') this.problem ??= stray;
    const rest = this.#gate?.rest();
    return kind === 'extra' ? undefined : rest;
  }

  /** What no client sees makes no answer whole, but may tell usage or an error. */
  #readRest(): EventKind {
    const rest = this.#parser.rest();
    if (rest === undefined || this.#begunMalformed || isMalformed(rest.data)) return undefined;
    const kind = this.#stream.read(rest.type, rest.data);
    if (kind === 'error' && !this.whole) this.problem ??= rest.data;
    return kind;
  }

  isMalformed(): boolean {
    return this.#begunMalformed || isMalformed(this.#latest);
  }

  facts(): AnswerFacts {
    return this.#stream.facts();
  }

  #read(type: string, data: string, end: number): void {
    const begin = this.#begin;
    this.#begin = end;
    this.#latest = data;
    // Ahead of the first content every event is looked at: it still can be an error of the call.
    if (this.contents === 0 && isMalformed(data)) this.#begunMalformed = true;
    const bytes = this.#stream.contentBytes;
    const kind = this.#begunMalformed ? undefined : this.#stream.read(type, data);
    this.#gate?.pass(end, kind === 'extra');
    switch (kind) {
      case 'content':
        this.contents++;
        if (begin >= 0 && this.#layout.mayLearn) this.#learn(begin, end, data, this.#stream.contentBytes - bytes);
        return;
      case 'end':
        this.whole = true;
        return;
      case 'error':
        this.problem ??= data;
        return;
      default:
    }
  }

  #learn(begin: number, end: number, data: string, size: number): void {
    const { noise = [] } = this.#stream;
    const piece = this.#stream.pieceIn?.(data);
    if (piece === undefined || lengthOfText(data, piece) !== size) return;
    this.#layout.learn(this.#text.slice(begin, end), data, piece, noise);
  }
}

function isMalformed(data: string): boolean {
  return data !== '' && data !== '[DONE]' && parseJson(data) === undefined;
}

/** Lets events through as they are, except those that are hidden. The bytes of an event that is not whole yet wait for the rest of it. */
class EventGate {
  #chunk: Uint8Array = new Uint8Array();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #out: Uint8Array[] = [];
  /** Where in the chunk what is let through begins. */
  #from = 0;
  /** Where the latest event ended. */
  #passed = 0;

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** @param passed where the events end that nobody need hold. */
  open(chunk: Uint8Array, passed: number): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#passed = passed;
  }

  pass(end: number, isHidden: boolean): void {
    if (isHidden) {
      this.#out.push(this.#chunk.subarray(this.#from, this.#passed));
      this.#from = end;
    } else if (this.#held.length > 0) this.#out.push(...this.#held);
    if (this.#held.length > 0) this.#held = [];
    this.#heldBytes = 0;
    this.#passed = end;
  }

  close(): Uint8Array | undefined {
    // Nearly always: whole events, of which none is hidden.
    if (this.#from === 0 && this.#passed === this.#chunk.length && this.#out.length === 0) return this.#chunk;
    const rest = this.#chunk.subarray(this.#passed);
    this.#out.push(this.#chunk.subarray(this.#from, this.#passed));
    if (rest.length > 0) this.#held.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes > mostHeld) this.#out.push(...this.#held.splice(0));
    return joined(this.#out.splice(0));
  }

  rest(): Uint8Array | undefined {
    return joined(this.#held.splice(0));
  }
}

const mostHeld = 1_048_576;

function joined(pieces: readonly Uint8Array[]): Uint8Array | undefined {
  const filled = pieces.filter(({ length }) => length > 0);
  return filled.length > 1 ? Buffer.concat(filled) : filled[0];
}
