import type { AnswerFacts, Api, StreamReader } from '../providers/api.ts';
import { JsonReader } from './answer-reader.ts';
import { SseReader } from './stream-reader.ts';

/** Reads an answer to a stream of which no header field says what it is: where it begins like a JSON object it is one, and events otherwise. */
export class UnnamedReader extends SseReader {
  readonly #api: Api;
  readonly #isJson: () => void;
  #isKnown = false;
  #json: JsonReader | undefined;

  /** @param isJson called where it turns out to be no stream. */
  constructor(api: Api, stream: StreamReader, hides: { readonly hidesExtra: boolean }, isJson: () => void) {
    super(stream, hides);
    this.#api = api;
    this.#isJson = isJson;
  }

  override get contentBytes(): number {
    return this.#json?.contentBytes ?? super.contentBytes;
  }

  override write(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.#isKnown) {
      const first = chunk.find((byte) => byte > space);
      if (first === undefined) return chunk;
      this.#isKnown = true;
      if (first === brace) {
        this.#json = new JsonReader(this.#api);
        this.#isJson();
      }
    }
    return this.#json === undefined ? super.write(chunk) : this.#json.write(chunk);
  }

  override end(): Uint8Array | undefined {
    if (this.#json === undefined) return super.end();
    this.#json.end();
    this.whole = true;
    this.problem = this.#json.problem;
    return undefined;
  }

  override facts(): AnswerFacts {
    return this.#json?.facts() ?? super.facts();
  }
}

const space = 0x20;
const brace = 0x7b;
