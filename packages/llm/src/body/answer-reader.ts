import type { AnswerFacts, AnswerShape, Api } from '../providers/api.ts';
import { factsOf, factsOfJson, factsOfText } from './answer-shape.ts';
import { memberOf } from '../providers/usage.ts';
import { JsonPicker } from './json-picker.ts';
import { parseJson, toLatin1 } from './json-text.ts';

/** Follows an answer while it passes, in pieces that are bytes or whatever else it comes in. */
export interface AnswerReader<P = Uint8Array> {
  /** Returns what the consumer gets of a piece; undefined for nothing yet. */
  write(piece: P): P | undefined;
  /** All of the body, in place of its pieces; of readers that need not see it before its end. */
  learn?(whole: Whole): void;
  /** The body ended; returns what was held back. */
  end(): P | undefined;
  /** Whether all of the answer came. A body that ends before that was cut short. */
  readonly whole: boolean;
  /** Whether the model is done, so that nobody is missing anything who stops reading here. */
  readonly finished: boolean;
  /** What came of an error in place of the answer or in its middle; of bytes it is JSON text with a character for each. */
  readonly problem: unknown;
  /** Whether the latest event is one that no client can read. */
  isMalformed(): boolean;
  readonly contents: number;
  readonly contentBytes: number;
  facts(): AnswerFacts;
}

/** A body that came at once. */
export interface Whole {
  readonly bytes: Uint8Array;
  readonly text?: string;
  /** What it says as JSON, where somebody wants it parsed. */
  readonly json?: unknown;
}

/** Reads an answer that is one JSON object. */
export class JsonReader implements AnswerReader {
  readonly #shape: AnswerShape;
  #picker: JsonPicker | undefined;
  #facts: AnswerFacts | undefined;
  whole = false;
  contentBytes = 0;
  readonly contents = 0;
  readonly finished = false;
  problem: string | undefined;

  constructor({ answer }: Api) {
    this.#shape = answer;
  }

  write(chunk: Uint8Array): Uint8Array {
    this.contentBytes += chunk.length;
    this.#picker ??= new JsonPicker([...this.#shape.places.paths, error]);
    this.#picker.write(toLatin1(chunk));
    return chunk;
  }

  learn({ bytes, text, json }: Whole): void {
    if (json !== undefined) this.#facts = factsOfJson(json, this.#shape);
    else if (text !== undefined) this.#facts = factsOfText(text, this.#shape);
    if (this.#facts === undefined) {
      this.write(bytes);
      return;
    }
    this.contentBytes = bytes.length;
    if (this.#facts.usage === undefined) this.#refuse(memberOf(json ?? parseJson(text), error));
  }

  end(): undefined {
    this.whole = true;
    if (this.#facts === undefined && this.#picked().usage === undefined) this.#refuse(this.#picker?.get(error));
  }

  isMalformed(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    return this.#facts ?? this.#picked();
  }

  /** A host may find out too late for another status than 200 that it has no answer. That is as little billed as any refusal. */
  #refuse(said: unknown): void {
    if (typeof said !== 'object' || said === null) return;
    this.problem = toLatin1(Buffer.from(JSON.stringify({ error: said })));
    this.#facts = { usage: { inputTokens: 0, outputTokens: 0 } };
  }

  #picked(): AnswerFacts {
    const { usage, model, finishReason, usageOf } = this.#shape;
    const picker = this.#picker;
    const reason = finishReason.map((path) => picker?.get(path)).find((one) => typeof one === 'string');
    return factsOf(usageOf(picker?.get(usage)), picker?.get(model), reason);
  }
}

/** Where hosts say what went wrong, whoever's API they speak. */
const error = 'error';

/** Reads nothing of what is no answer of a model but its end. */
export class PlainReader implements AnswerReader {
  whole = false;
  contentBytes = 0;
  readonly contents = 0;
  readonly finished = false;
  readonly problem = undefined;

  write(chunk: Uint8Array): Uint8Array {
    this.contentBytes += chunk.length;
    return chunk;
  }

  end(): undefined {
    this.whole = true;
  }

  isMalformed(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    return {};
  }
}

/** Keeps the words of a refusal, for whoever asks after the client read them. */
export class RefusalReader extends PlainReader {
  readonly #pieces: Uint8Array[] = [];

  override write(chunk: Uint8Array): Uint8Array {
    // A copy: the bytes are the client's.
    if (this.contentBytes < mostBytesOfRefusal) this.#pieces.push(Buffer.from(chunk));
    return super.write(chunk);
  }

  get json(): unknown {
    return parseJson(Buffer.concat(this.#pieces).toString());
  }
}

/** Errors in words are a few hundred bytes. */
export const mostBytesOfRefusal = 65_536;
