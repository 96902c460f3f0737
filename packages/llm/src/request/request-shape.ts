/** Where a request says what, and what it asks for there. */
import type { RequestNames, RequestShape } from '../providers/api.ts';
import { type Place, valueOf, type Wanted, wantMembers } from './json-members.ts';
import type { RequestBody } from './request-body.ts';

/** Found out once for each API. */
export interface RequestPlaces {
  readonly wanted: Wanted;
  readonly model: Place;
  readonly stream: Place;
  readonly includeUsage: Place;
  /** The members that limit the output. */
  readonly caps: readonly Place[];
  readonly choices: Place | undefined;
}

/** The shape of requests that say it there. */
export function requestShape(names: RequestNames): RequestShape {
  const { maxOutputTokens, choices } = names;
  const others = ['model', 'stream', 'stream_options.include_usage', ...(choices === undefined ? [] : [choices])];
  const wanted = wantMembers([...others, ...maxOutputTokens]);
  const [model, stream, includeUsage] = wanted.places;
  const caps = wanted.places.slice(others.length);
  const places = { wanted, model, stream, includeUsage, caps, choices: choices && wanted.places[3] };
  return { ...names, places: places as RequestPlaces };
}

/** What a request asks for. */
export interface Asked {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Of one answer. */
  readonly maxOutputTokens: number | undefined;
  /** Answers at once. @default 1 */
  readonly choices: number;
  /** Whether usage was asked for, where that is needed. */
  readonly wantsUsage: boolean;
}

export function askedOf({ text, members }: RequestBody, { places }: RequestShape): Asked {
  const model = valueOf(text, members, places.model);
  let maxOutputTokens: number | undefined;
  for (const place of places.caps) {
    const cap = valueOf(text, members, place);
    // Where two contradict each other, the larger one is what may be spent.
    if (typeof cap === 'number' && (maxOutputTokens === undefined || cap > maxOutputTokens)) maxOutputTokens = cap;
  }
  const choices = places.choices && valueOf(text, members, places.choices);
  return {
    model: typeof model === 'string' ? model : undefined,
    stream: valueOf(text, members, places.stream) === true,
    maxOutputTokens,
    choices: typeof choices === 'number' && choices > 1 ? choices : 1,
    wantsUsage: valueOf(text, members, places.includeUsage) === true,
  };
}
