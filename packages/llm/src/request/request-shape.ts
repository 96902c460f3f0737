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
  readonly background: Place;
  /** The members that limit the output. */
  readonly caps: readonly Place[];
  readonly thinking: Place | undefined;
  readonly leastOutputTokens: number | undefined;
  readonly choices: readonly Place[];
  readonly prompts: Place | undefined;
}

/** The shape of requests that say it there. */
export function requestShape(names: RequestNames): RequestShape {
  const { maxOutputTokens, choices = [], prompts, thinkingTokens, leastOutputTokens } = names;
  const others = ['model', 'stream', 'stream_options.include_usage', 'background', ...choices];
  const last = [thinkingTokens, prompts].filter((name) => name !== undefined);
  const wanted = wantMembers([...others, ...maxOutputTokens, ...last]);
  const placeOf = (name: string | undefined): Place | undefined =>
    name === undefined ? undefined : wanted.places[others.length + maxOutputTokens.length + last.indexOf(name)];
  const [model, stream, includeUsage, background] = wanted.places;
  const caps = wanted.places.slice(others.length, others.length + maxOutputTokens.length);
  const places = {
    wanted,
    model,
    stream,
    includeUsage,
    background,
    caps,
    thinking: placeOf(thinkingTokens),
    leastOutputTokens,
    choices: wanted.places.slice(4, others.length),
    prompts: placeOf(prompts),
  };
  return { ...names, places: places as RequestPlaces };
}

/** What a request asks for. */
export interface Asked {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Of one answer. */
  readonly maxOutputTokens: number | undefined;
  /** The fewest output tokens that the provider takes it with. */
  readonly leastOutputTokens: number | undefined;
  /** Answers at once. @default 1 */
  readonly choices: number;
  /** Whether the answer is made in the background. */
  readonly background: boolean;
  /** Whether usage was asked for, where that is needed. */
  readonly wantsUsage: boolean;
}

/** Of a body that cannot be read, what is usual. */
export function askedOf(body: RequestBody | undefined, { places }: RequestShape): Asked {
  const asked: { -readonly [N in keyof Asked]: Asked[N] } = {
    model: undefined,
    stream: false,
    maxOutputTokens: undefined,
    leastOutputTokens: places.leastOutputTokens,
    choices: 1,
    background: false,
    wantsUsage: false,
  };
  if (body === undefined) return asked;
  let prompts = 1;
  for (const place of places.wanted.places) {
    const value = valueOf(body.text, body.members, place);
    if (value === undefined) continue;
    if (place === places.model) asked.model = typeof value === 'string' ? value : undefined;
    else if (place === places.stream) asked.stream = value === true;
    else if (place === places.background) asked.background = value === true;
    else if (place === places.includeUsage) asked.wantsUsage = value === true;
    // A negative one is no limit to hosts that take it.
    else if (typeof value !== 'number' || value < 0) {
      if (place === places.prompts) prompts = countOf(value);
    } else if (place === places.thinking) asked.leastOutputTokens = value + 1;
    else if (places.choices.includes(place)) asked.choices = Math.max(asked.choices, Math.ceil(value));
    // Where two contradict each other, the larger one is what may be spent.
    else asked.maxOutputTokens = Math.max(asked.maxOutputTokens ?? 0, Math.min(Math.ceil(value), mostTokens));
  }
  asked.choices *= prompts;
  return asked;
}

/** One may be a text or a list of tokens. */
function countOf(prompts: unknown): number {
  return Array.isArray(prompts) && typeof prompts[0] !== 'number' ? Math.max(1, prompts.length) : 1;
}

/** More than any model makes. Limits count in whole numbers that a double holds. */
const mostTokens = 100_000_000;
