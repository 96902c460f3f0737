/** The body of a request, read once and changed in place: what is not meant stays byte by byte as it was. */
import { skipSpace } from '../body/json-text.ts';
import type { RequestShape } from '../providers/api.ts';
import { findMembers, type FoundMembers, type Place, valueOf } from './json-members.ts';

export interface RequestBody {
  readonly text: string;
  readonly members: FoundMembers;
}

/** The body, where it is a JSON object. */
export function readBody(text: string, { places }: RequestShape): RequestBody | undefined {
  const members = findMembers(text, places.wanted);
  return members === undefined ? undefined : { text, members };
}

/** Whether a member holds a number. */
export function hasNumber({ text, members }: RequestBody, place: Place): boolean {
  return typeof valueOf(text, members, place) === 'number';
}

/** Another value for the member at a place. */
export type Change = readonly [place: Place, value: number | boolean];

/** The text with other values for some members, no two within the same; those that are missing are put in front. */
export function withMembers({ text, members }: RequestBody, changes: readonly Change[]): string {
  // From the last to the first: what stands before an edit stays where it was found.
  const lastFirst =
    changes.length < 2 ? changes : changes.toSorted((a, b) => startOf(members, b) - startOf(members, a));
  let changed = text;
  for (const change of lastFirst) changed = withMember(changed, members, change);
  return changed;
}

/** Where the text changes. */
function startOf({ start, spans }: FoundMembers, [{ index, outer }]: Change): number {
  return (spans[index] ?? (outer && spans[outer.index]))?.from ?? start;
}

function withMember(text: string, { start, spans }: FoundMembers, [place, value]: Change): string {
  const { written, index, outer } = place;
  const span = spans[index];
  if (span !== undefined) return text.slice(0, span.from) + value + text.slice(span.to);
  const member = written + value;
  if (outer === undefined) return inFront(text, start, member);
  const around = spans[outer.index];
  if (around === undefined) return inFront(text, start, `${outer.written}{${member}}`);
  const { from, to } = around;
  if (text.charCodeAt(from) === openBrace) return inFront(text, from + 1, member);
  return `${text.slice(0, from)}{${member}}${text.slice(to)}`;
}

/** With a member in front of those that begin there. */
function inFront(text: string, start: number, member: string): string {
  const separator = text.charCodeAt(skipSpace(text, start)) === closeBrace ? '' : ',';
  return text.slice(0, start) + member + separator + text.slice(start);
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
