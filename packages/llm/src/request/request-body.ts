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
export function withMembers(body: RequestBody, changes: readonly Change[]): string {
  if (changes.length === 0) return body.text;
  const edits = changes.map(([place, value]) => editOf(body, place, value));
  // From the last to the first: what stands before an edit stays where it was found.
  if (edits.length > 1) edits.sort((one, other) => other.from - one.from);
  let { text } = body;
  for (const { from, to, written, isNew } of edits) {
    const separator = isNew && text.charCodeAt(skipSpace(text, to)) !== closeBrace ? ',' : '';
    text = text.slice(0, from) + written + separator + text.slice(to);
  }
  return text;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly written: string;
  /** Whether it is a member in front of others. */
  readonly isNew: boolean;
}

function editOf({ text, members }: RequestBody, { written, index, outer }: Place, value: number | boolean): Edit {
  const { start, spans } = members;
  const span = spans[index];
  if (span !== undefined) return { from: span.from, to: span.to, written: `${value}`, isNew: false };
  const member = written + value;
  if (outer === undefined) return { from: start, to: start, written: member, isNew: true };
  const around = spans[outer.index];
  if (around === undefined) return { from: start, to: start, written: `${outer.written}{${member}}`, isNew: true };
  const { from, to } = around;
  const isObject = text.charCodeAt(from) === openBrace;
  return isObject
    ? { from: from + 1, to: from + 1, written: member, isNew: true }
    : { from, to, written: `{${member}}`, isNew: false };
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
