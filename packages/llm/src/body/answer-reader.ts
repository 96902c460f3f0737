import type { AnswerFacts, Api } from '../providers/api.ts';
import { textOf } from '../providers/usage.ts';
import { JsonPicker } from './json-picker.ts';
import { toLatin1 } from './json-text.ts';

/** Follows the bytes of an answer while they pass. */
export interface AnswerReader {
  /** Returns the bytes that the consumer gets; undefined for none yet. */
  write(chunk: Uint8Array): Uint8Array | undefined;
  /** The body ended; returns the bytes that were held back. */
  end(): Uint8Array | undefined;
  /** Whether all of the answer came. A body that ends before that was cut short. */
  readonly whole: boolean;
  /** Whether the model is done, so that nobody is missing anything who stops reading here. */
  readonly finished: boolean;
  /** The error, as JSON text with a character for each byte, that came in place of the answer or in its middle. */
  readonly problem: string | undefined;
  /** Whether the latest event is one that no client can read. */
  isMalformed(): boolean;
  readonly contents: number;
  readonly contentBytes: number;
  facts(): AnswerFacts;
}

/** Reads an answer that is one JSON object. */
export class JsonReader implements AnswerReader {
  readonly #shape: Api['answer'];
  readonly #picker: JsonPicker;
  whole = false;
  contentBytes = 0;
  readonly contents = 0;
  readonly finished = false;
  readonly problem = undefined;

  constructor({ answer }: Api) {
    this.#shape = answer;
    this.#picker = new JsonPicker([answer.usage, answer.model, ...answer.finishReason]);
  }

  write(chunk: Uint8Array): Uint8Array {
    this.contentBytes += chunk.length;
    this.#picker.write(toLatin1(chunk));
    return chunk;
  }

  end(): undefined {
    this.whole = true;
  }

  isMalformed(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    const shape = this.#shape;
    const reasons = shape.finishReason.map((path) => this.#picker.get(path));
    const said = { model: this.#picker.get(shape.model), finish: reasons.find((reason) => typeof reason === 'string') };
    return {
      usage: shape.usageOf(this.#picker.get(shape.usage)),
      model: textOf(said, 'model'),
      finishReason: textOf(said, 'finish'),
    };
  }
}

/** Reads nothing of an answer but its end: an error, or what is no answer of a model. */
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
