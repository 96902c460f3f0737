/** The response of `node:http`, which Node's own server, Express and Fastify share. */
import type { ServerResponse } from 'node:http';
import { cancel, remember, settle } from './admissions.ts';
import type { Denial } from './denial.ts';
import { joined } from './fields.ts';
import type { Admission, HttpLimiter } from './gate.ts';

/** What a request does after its decision. It is dropped where the client left while the limiter was asked. */
export type Step =
  | { readonly name: 'go-on' }
  | { readonly name: 'deny'; readonly denial: Denial }
  | { readonly name: 'drop' };

/** The step after a decision. Where the request goes on, what was reserved is settled when its response is over, sent or cut. */
export function stepOf(
  request: object,
  response: ServerResponse,
  limiter: HttpLimiter,
  admission: Admission | undefined,
): Step {
  if (admission === undefined) return { name: 'go-on' };
  const { denial, reservation } = admission;
  // It has closed already: nobody would tell us again.
  if (isOver(response)) {
    cancel(reservation);
    return { name: 'drop' };
  }
  if (denial !== undefined) return { name: 'deny', denial };
  if (reservation !== undefined) response.once('close', () => settle(reservation));
  remember(request, limiter, admission);
  return { name: 'go-on' };
}

export function writeFields(response: ServerResponse, fields: Admission['fields'] = []): void {
  if (response.headersSent || isOver(response)) return;
  for (const [name, value] of fields) {
    response.setHeader(name, joined(name, response.getHeader(name)?.toString(), value));
  }
}

export function sendDenial(response: ServerResponse, { status, contentType, body }: Denial): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** Whether the response was closed. One of HTTP/2 doesn't say so itself, but its stream does. */
function isOver(response: ServerResponse & { readonly stream?: { readonly destroyed: boolean } }): boolean {
  return response.destroyed || response.stream?.destroyed === true;
}
