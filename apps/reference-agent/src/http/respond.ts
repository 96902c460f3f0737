import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { current, isSageError, type SageError } from '@sage-adk/core';
import { rateLimitBody, rateLimitHeaders } from '@sage-adk/ratelimit';
import { denialOf } from '@sage-adk/ratelimit/http';
import { errors } from '../errors.ts';
import { decisionOf } from '../limits/refusal.ts';

/** Sends `value` as one line of JSON, whole. Header fields that were set before stay. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  fields: OutgoingHttpHeaders = {},
): void {
  // A text goes out together with the header; a buffer would be a second write.
  const body = `${JSON.stringify(value)}\n`;
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...fields });
  response.end(body);
}

/** Answers with an error in the form that all surfaces share where no protocol has begun: a code word and a sentence. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // Too late for a status: the cut connection is the only way to say that the answer is not whole.
    response.destroy();
    return;
  }
  if (sendRefusal(response, error)) return;
  const { status, code, message } = describe(error);
  const fields: OutgoingHttpHeaders = {};
  if (status === 401) fields['www-authenticate'] = 'Bearer';
  if (status === 413) fields['connection'] = 'close';
  if (isSageError(error)) {
    if (error.retryAfterMs !== undefined) fields['retry-after'] = String(Math.ceil(error.retryAfterMs / 1_000));
    if (typeof error.details['allowed'] === 'string' && status === 405) fields['allow'] = error.details['allowed'];
  }
  sendJson(response, status, { error: code, message }, fields);
}

/** The same error where an answer has begun: as JSON, for an event or as metadata. */
export function errorBody(error: unknown): Readonly<Record<string, unknown>> & { readonly message: string } {
  const decision = decisionOf(error);
  const { code, message } = describe(error);
  return { ...((decision && rateLimitBody(decision)) ?? { error: code, message }) };
}

/** A limit that said no answers with the status, the header fields and the body of its own. */
function sendRefusal(response: ServerResponse, error: unknown): boolean {
  const decision = decisionOf(error);
  const denial = decision && denialOf(decision, response.req.headers.accept);
  if (decision === undefined || denial === undefined) return false;
  const { status, contentType, body } = denial;
  response.writeHead(status, {
    ...rateLimitHeaders(decision),
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
  return true;
}

/** What a client may know of an error: ours say so themselves, of any other only that it happened, and by which id the log has it. */
export function toldOf(error: unknown): SageError {
  if (isSageError(error)) return error;
  return errors.INTERNAL_ERROR({ requestId: current()?.requestId ?? 'unknown' }, { cause: error });
}

/** The same, as parts of an answer. */
export function describe(error: unknown): { readonly status: number; readonly code: string; readonly message: string } {
  const told = toldOf(error);
  return { status: told.status, code: codeWord(told), message: told.message };
}

function codeWord({ code }: SageError): string {
  return code.replace(/^SAGE_[A-Z0-9]+_/, '').toLowerCase();
}
