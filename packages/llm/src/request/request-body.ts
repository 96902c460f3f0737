/** The body of a request, read once and changed in place: what is not meant stays byte by byte as it was. */
import { parseJson } from '../body/json-text.ts';
import type { RequestShape } from '../providers/api.ts';
import { findMembers, type FoundMembers, type Span } from './json-members.ts';

export interface RequestBody {
  readonly text: string;
  readonly members: FoundMembers;
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

const always = ['model', 'stream', 'stream_options'];

/** The body, where it is a JSON object. */
export function readBody(text: string, shape: RequestShape): RequestBody | undefined {
  const members = findMembers(text, wantedBy(shape));
  return members === undefined ? undefined : { text, members };
}

export function askedOf({ text, members }: RequestBody, shape: RequestShape): Asked {
  const model = valueOf(text, members, 'model');
  let maxOutputTokens: number | undefined;
  for (const path of shape.maxOutputTokens) {
    const cap = valueOf(text, members, path);
    // Where two contradict each other, the larger one is what may be spent.
    if (typeof cap === 'number' && (maxOutputTokens === undefined || cap > maxOutputTokens)) maxOutputTokens = cap;
  }
  const choices = shape.choices === undefined ? 1 : valueOf(text, members, shape.choices);
  return {
    model: typeof model === 'string' ? model : undefined,
    stream: valueOf(text, members, 'stream') === true,
    maxOutputTokens,
    choices: typeof choices === 'number' && choices > 1 ? choices : 1,
    wantsUsage: valueOf(text, members, 'stream_options.include_usage') === true,
  };
}

/** The number that a member holds; undefined where it holds anything else. */
export function numberAt({ text, members }: RequestBody, path: string): number | undefined {
  const value = valueOf(text, members, path);
  return typeof value === 'number' ? value : undefined;
}

/** Another value for the member at a path. */
export type Change = readonly [path: string, value: unknown];

/** The text with other values for some members; those that are missing are put in front. */
export function withMembers(body: RequestBody, shape: RequestShape, values: readonly Change[]): string {
  let { text } = body;
  let members: FoundMembers | undefined = body.members;
  for (const [path, value] of values) {
    // The change before moved what was found.
    members ??= findMembers(text, wantedBy(shape)) ?? body.members;
    text = withMember(text, members, path, value);
    members = undefined;
  }
  return text;
}

function withMember(text: string, members: FoundMembers, path: string, value: unknown): string {
  const dot = path.indexOf('.');
  const name = dot < 0 ? path : path.slice(0, dot);
  const span = members.spans.get(name);
  const old = span && text.slice(span.from, span.to);
  const written = dot < 0 ? JSON.stringify(value) : withInner(old, path.slice(dot + 1), value);
  if (span !== undefined) return text.slice(0, span.from) + written + text.slice(span.to);
  const { start, isEmpty } = members;
  return `${text.slice(0, start)}"${name}":${written}${isEmpty ? '' : ','}${text.slice(start)}`;
}

function withInner(old: string | undefined, name: string, value: unknown): string {
  const members = old === undefined ? undefined : findMembers(old, new Set([name]));
  return old === undefined || members === undefined
    ? JSON.stringify({ [name]: value })
    : withMember(old, members, name, value);
}

function valueOf(text: string, { spans }: FoundMembers, path: string): unknown {
  // No list is made of the path: half a dozen are read of every request.
  const dot = path.indexOf('.');
  const span = spans.get(dot < 0 ? path : path.slice(0, dot));
  if (span === undefined) return undefined;
  if (dot < 0) return parsed(text, span);
  const inner = path.slice(dot + 1);
  const outer = text.slice(span.from, span.to);
  const within = findMembers(outer, new Set([inner]))?.spans.get(inner);
  return within && parsed(outer, within);
}

function parsed(text: string, { from, to }: Span): unknown {
  return parseJson(text.slice(from, to));
}

const wantedByShape = new WeakMap<RequestShape, ReadonlySet<string>>();

function wantedBy(shape: RequestShape): ReadonlySet<string> {
  let wanted = wantedByShape.get(shape);
  if (wanted === undefined) {
    const paths = [...always, ...shape.maxOutputTokens, ...(shape.choices === undefined ? [] : [shape.choices])];
    wanted = new Set(paths.map((path) => path.split('.')[0] ?? path));
    wantedByShape.set(shape, wanted);
  }
  return wanted;
}
