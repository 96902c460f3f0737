import type { AnswerFacts, Api } from '../providers/api.ts';
import { textOf } from '../providers/usage.ts';
import { JsonPicker } from './json-picker.ts';
import { toLatin1 } from './json-text.ts';

/** Follows an answer while it passes, in pieces that are bytes or whatever else it comes in. */
export interface AnswerReader<P = Uint8Array> {
  /** Returns what the consumer gets of a piece; undefined for nothing yet. */
  write(piece: P): P | undefined;
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
    this.#picker = new JsonPicker(pathsOf(answer));
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

const knownPaths = new WeakMap<Api['answer'], readonly string[]>();

function pathsOf(answer: Api['answer']): readonly string[] {
  let paths = knownPaths.get(answer);
  if (paths === undefined) knownPaths.set(answer, (paths = [answer.usage, answer.model, ...answer.finishReason]));
  return paths;
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
