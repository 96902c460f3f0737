import { randomBytes } from 'node:crypto';
import { type Clock, verdictOf } from '@sage-adk/core';
import { deadLetterErrors } from './errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { HideSecrets } from './hidden-secrets.ts';
import type { DeadLetterError, NewDeadLetter } from './letter.ts';
import type { DeadLetterOptions, ErrorClass } from './store.ts';

/** A new letter as backends take it: texts that any server can hold. */
export interface PreparedLetter {
  readonly id: string;
  readonly source: string;
  readonly dedupeKey: string;
  /** JSON. */
  readonly payload: string;
  /** JSON. */
  readonly headers: string;
  readonly failure: PreparedFailure;
  readonly delayMs: number;
}

export interface PreparedFailure {
  /** JSON of a {@link DeadLetterError}. */
  readonly error: string;
  readonly category: string;
  readonly reason: string;
  readonly fingerprint: string;
}

export interface DraftOptions extends Required<
  Pick<DeadLetterOptions, 'queue' | 'maxLetterBytes' | 'classify' | 'redact'>
> {
  readonly hide: HideSecrets;
}

/** Describes the failure without its secrets, redacts, and checks the size. */
export function prepare(letter: NewDeadLetter, id: string, options: DraftOptions): PreparedLetter {
  const { source, headers = {}, delayMs = 0, dedupeKey = id } = letter;
  const described = describe(letter.error, options);
  const fingerprint = fingerprintOf(described);
  const { maxLetterBytes, queue } = options;
  const draft = options.redact({ payload: letter.payload, headers, error: described });
  const texts = [draft.payload, draft.headers, draft.error].map((part) => jsonOf(part, source));
  const bytes = texts.reduce((total, text) => total + Buffer.byteLength(text), 0);
  if (bytes > maxLetterBytes) throw deadLetterErrors.TOO_LARGE({ source, bytes, queue, maxBytes: maxLetterBytes });
  const [payload = '', headerText = '', error = ''] = texts;
  const { category, reason } = draft.error;
  return {
    id,
    source,
    dedupeKey,
    payload,
    headers: headerText,
    failure: { error, category, reason, fingerprint },
    delayMs,
  };
}

/** A failure of a letter that is kept, told by `nack`. */
export function prepareFailure(error: unknown, options: DraftOptions): PreparedFailure {
  return prepare({ source: 'nack', payload: null, error }, '', options).failure;
}

/** Makes UUIDs of version 7, each greater than the one before: ids sort by the time of making. */
export function createIds(clock: Clock): () => string {
  let lastMs = 0;
  let sequence = 0;
  return () => {
    const nowMs = clock.now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      sequence = 0;
    } else if (++sequence > 0xfff) {
      lastMs++;
      sequence = 0;
    }
    const bytes = randomBytes(16);
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | sequence, 6);
    bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
    const hex = bytes.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  };
}

/** What core can say of an error. */
export function coarseClass(error: unknown): ErrorClass {
  const { category, code, outcome } = verdictOf(error);
  return { category: category ?? (outcome === 'cancelled' ? 'cancelled' : 'unknown'), reason: code ?? 'unknown' };
}

const longestMessage = 4_000;
const longestStack = 8_000;

// Cut after secrets are hidden: the first half of a key has not its shape.
function describe(error: unknown, { classify, hide }: DraftOptions): DeadLetterError {
  const { category, reason, status } = classify(error);
  const known = { category, reason: hide(reason), ...(status !== undefined && { status }) };
  const short = (text: string) => hide(text).slice(0, longestMessage);
  if (!isError(error)) return { ...known, name: typeof error, message: short(textOf(error)) };
  const stack = partOf(error, 'stack');
  return {
    ...known,
    name: short(textOf(partOf(error, 'name'))),
    message: short(textOf(partOf(error, 'message'))),
    ...(typeof stack === 'string' && { stack: hide(stack).slice(0, longestStack) }),
  };
}

/** Also of a revoked proxy, which says nothing at all. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error;
  } catch {
    return false;
  }
}

/** Any value: an answer's fields may have been assigned to the error, and to read a stack runs whatever prepares stacks. */
function partOf(error: Error, part: 'name' | 'message' | 'stack'): unknown {
  try {
    return error[part];
  } catch {
    return undefined;
  }
}

function textOf(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  } catch {
    return typeof thrown === 'bigint' ? String(thrown) : '[object Object]';
  }
}

function jsonOf(part: unknown, source: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(part);
  } catch (cause) {
    throw deadLetterErrors.NOT_JSON({ source }, { cause });
  }
  if (json === undefined) throw deadLetterErrors.NOT_JSON({ source });
  return json;
}
