/** Where an answer that is one JSON object says what, and reading it there. */
import type { AnswerFacts, AnswerNames, AnswerShape } from '../providers/api.ts';
import { memberOf } from '../providers/usage.ts';
import {
  countsOf,
  findMembers,
  type FoundMembers,
  type Place,
  valueOf,
  type Wanted,
  wantMembers,
} from '../request/json-members.ts';

/** Found out once for each API. */
export interface AnswerPlaces {
  readonly wanted: Wanted;
  /** Of {@link JsonPicker}. */
  readonly paths: readonly string[];
  readonly usage: Place;
  readonly model: Place;
  readonly finishReasons: readonly Place[];
}

/** The shape of answers that say it there. */
export function answerShape(names: AnswerNames): AnswerShape {
  const paths = [names.usage, names.model, ...names.finishReason];
  const counts = names.counts.map((count) => `${names.usage}.${count}`);
  const wanted = wantMembers([...paths, ...counts], true);
  const [usage, model] = wanted.places;
  const finishReasons = wanted.places.slice(2, paths.length);
  return { ...names, places: { wanted, paths, usage, model, finishReasons } as AnswerPlaces };
}

/** What a text says, without parsing the rest of it; undefined where it has to be picked through. Of a list only the first element is looked at. */
export function factsOfText(text: string, { places, usageOf }: AnswerShape): AnswerFacts | undefined {
  const found = findMembers(text, places.wanted);
  if (found === undefined || isHidden(found, places.usage) || isHidden(found, places.model)) return undefined;
  let finishReason: unknown;
  for (const place of places.finishReasons) {
    if (isHidden(found, place)) return undefined;
    if (typeof finishReason !== 'string') finishReason = valueOf(text, found, place);
  }
  return factsOf(usageOf(countsOf(text, found, places.usage)), valueOf(text, found, places.model), finishReason);
}

/** It may be in another element of the list that it is in. */
function isHidden({ spans }: FoundMembers, { index, outer }: Place): boolean {
  return outer !== undefined && spans[index] === undefined && spans[outer.index] !== undefined;
}

/** What an answer says that was parsed. */
export function factsOfJson(json: unknown, { places, usageOf }: AnswerShape): AnswerFacts {
  let finishReason: unknown;
  for (const place of places.finishReasons) {
    if (typeof finishReason !== 'string') finishReason = memberAt(json, place);
  }
  return factsOf(usageOf(memberAt(json, places.usage)), memberAt(json, places.model), finishReason);
}

/** The member at a place, as {@link JsonPicker} finds it: of the elements of an array the first that has it. */
function memberAt(json: unknown, { name, outer }: Place): unknown {
  if (outer === undefined) return memberOf(json, name);
  const around = memberAt(json, outer);
  if (!Array.isArray(around)) return memberOf(around, name);
  for (const element of around as readonly unknown[]) {
    const found = Array.isArray(element) ? undefined : memberOf(element, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function factsOf(usage: AnswerFacts['usage'], model: unknown, finishReason: unknown): AnswerFacts {
  return {
    usage,
    model: typeof model === 'string' ? model : undefined,
    finishReason: typeof finishReason === 'string' ? finishReason : undefined,
  };
}
