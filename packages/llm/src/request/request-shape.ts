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

/** Of a body that cannot be read, what is usual. */
export function askedOf(body: RequestBody | undefined, { places }: RequestShape): Asked {
  const asked: { -readonly [N in keyof Asked]: Asked[N] } = {
    model: undefined,
    stream: false,
    maxOutputTokens: undefined,
    choices: 1,
    wantsUsage: false,
  };
  if (body === undefined) return asked;
  for (const place of places.wanted.places) {
    const value = valueOf(body.text, body.members, place);
    if (value === undefined) continue;
    if (place === places.model) asked.model = typeof value === 'string' ? value : undefined;
    else if (place === places.stream) asked.stream = value === true;
    else if (place === places.includeUsage) asked.wantsUsage = value === true;
    else if (typeof value !== 'number') continue;
    else if (place === places.choices) asked.choices = Math.max(1, value);
    // Where two contradict each other, the larger one is what may be spent.
    else asked.maxOutputTokens = Math.max(asked.maxOutputTokens ?? value, value);
  }
  return asked;
}
