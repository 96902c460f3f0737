import type { AnswerFacts, Api } from '../providers/api.ts';
import { memberOf } from '../providers/usage.ts';
import { JsonPicker } from './json-picker.ts';
import { findMembers, type Span } from '../request/json-members.ts';
import { parseJson, toLatin1 } from './json-text.ts';

/** Follows an answer while it passes, in pieces that are bytes or whatever else it comes in. */
export interface AnswerReader<P = Uint8Array> {
  /** Returns what the consumer gets of a piece; undefined for nothing yet. */
  write(piece: P): P | undefined;
  /** All of the body, in place of its pieces; of readers that need not see it before its end. */
  learn?(whole: Whole): void;
  /** A character for each byte of the piece that came last, where they were needed; nobody need make them again. */
  textOf?(piece: P): string | undefined;
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
  readonly #shape: Api['answer'];
  #picker: JsonPicker | undefined;
  #facts: AnswerFacts | undefined;
  whole = false;
  contentBytes = 0;
  readonly contents = 0;
  readonly finished = false;
  readonly problem = undefined;

  constructor({ answer }: Api) {
    this.#shape = answer;
  }

  write(chunk: Uint8Array): Uint8Array {
    this.contentBytes += chunk.length;
    this.#picker ??= new JsonPicker(pathsOf(this.#shape));
    this.#picker.write(toLatin1(chunk));
    return chunk;
  }

  learn({ bytes, text, json }: Whole): void {
    const pick = json === undefined ? text && pickIn(text, this.#shape) : (path: string) => memberAt(json, path);
    if (!pick) this.write(bytes);
    else {
      this.contentBytes = bytes.length;
      this.#facts = this.#factsBy(pick);
    }
  }

  end(): undefined {
    this.whole = true;
  }

  isMalformed(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    return this.#facts ?? this.#factsBy((path) => this.#picker?.get(path));
  }

  #factsBy(pick: (path: string) => unknown): AnswerFacts {
    const shape = this.#shape;
    const model = pick(shape.model);
    let finishReason: string | undefined;
    for (const path of shape.finishReason) {
      const reason = pick(path);
      if (typeof reason === 'string') finishReason ??= reason;
    }
    return {
      usage: shape.usageOf(pick(shape.usage)),
      model: typeof model === 'string' ? model : undefined,
      finishReason,
    };
  }
}

/** Reads members of a text without parsing the rest of it; undefined where it has to be picked through. Of a list the first element is looked at. */
function pickIn(text: string, shape: Api['answer']): ((path: string) => unknown) | undefined {
  const { names, paths } = placesOf(shape);
  const found = findMembers(text, names)?.spans;
  if (found === undefined) return undefined;
  const said = new Map<string, unknown>();
  for (const { path, outer, inner } of paths) {
    const outerSpan = found.get(outer);
    if (outerSpan === undefined) continue;
    const span = inner === undefined ? outerSpan : innerIn(text, outerSpan.from, inner);
    if (span === undefined) return undefined;
    said.set(path, parseJson(text.slice(span.from, span.to)));
  }
  return (path) => said.get(path);
}

function innerIn(text: string, at: number, inner: ReadonlySet<string>): Span | undefined {
  const spans = findMembers(text, inner, text[at] === '[' ? at + 1 : at)?.spans;
  return spans?.values().next().value;
}

/** Where an answer says what, in the steps of a search. */
interface Places {
  /** Of members at its top. */
  readonly names: ReadonlySet<string>;
  readonly paths: readonly Place[];
}

interface Place {
  readonly path: string;
  readonly outer: string;
  /** The one member within that one. */
  readonly inner: ReadonlySet<string> | undefined;
}

const knownPlaces = new WeakMap<Api['answer'], Places>();

function placesOf(shape: Api['answer']): Places {
  let places = knownPlaces.get(shape);
  if (places === undefined) {
    const paths = pathsOf(shape).map((path): Place => {
      const [outer = path, ...rest] = path.split('.');
      return { path, outer, inner: rest.length === 0 ? undefined : new Set([rest.join('.')]) };
    });
    places = { names: new Set(paths.map(({ outer }) => outer)), paths };
    knownPlaces.set(shape, places);
  }
  return places;
}

/** The member at a path, as {@link JsonPicker} finds it: of the elements of an array the first that has it. */
function memberAt(json: unknown, path: string): unknown {
  const dot = path.indexOf('.');
  if (dot < 0) return memberOf(json, path);
  const outer = memberOf(json, path.slice(0, dot));
  const rest = path.slice(dot + 1);
  if (!Array.isArray(outer)) return memberAt(outer, rest);
  for (const element of outer as readonly unknown[]) {
    const found = Array.isArray(element) ? undefined : memberAt(element, rest);
    if (found !== undefined) return found;
  }
  return undefined;
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
