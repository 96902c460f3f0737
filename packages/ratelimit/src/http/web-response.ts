/** The `Response` of fetch, which Hono and the handlers of many runtimes share. */
import { settle } from './admissions.ts';
import type { Denial } from './denial.ts';
import { joined } from './fields.ts';
import type { Admission, HttpReservation } from './gate.ts';

/** Adds a decision's fields to a response; to a copy where its own can't be changed. */
export function withFields(response: Response, fields: Admission['fields']): Response {
  if (fields.length === 0) return response;
  try {
    return addFields(response, fields);
  } catch {
    // Fields of a redirect or of a fetched response are immutable; a network error and an upgrade (101) can't even be copied.
    return response.status < 200 ? response : addFields(new Response(response.body, response), fields);
  }
}

export function denialResponse({ status, contentType, body }: Denial): Response {
  return new Response(body, { status, headers: { 'Content-Type': contentType } });
}

/** What a client that left is answered, which nobody reads. */
export function goneResponse(): Response {
  return new Response(null, { status: 499 });
}

/**
 * Settles a reservation when the response is over: its body was read to the end, failed or was cancelled, or the request was aborted.
 *
 * Returns the response to send in its place. An answer without a body, to HEAD too, is over at once.
 */
export function settleAfter(
  response: Response,
  reservation: HttpReservation | undefined,
  { method, signal }: Request,
): Response {
  if (reservation === undefined) return response;
  const over = (): void => {
    signal.removeEventListener('abort', over);
    settle(reservation);
  };
  if (response.body === null || method === 'HEAD' || signal.aborted) {
    over();
    return response;
  }
  signal.addEventListener('abort', over, { once: true });
  return new Response(watched(response.body, over), response);
}

function addFields(response: Response, fields: Admission['fields']): Response {
  for (const [name, value] of fields) {
    response.headers.set(name, joined(name, response.headers.get(name), value));
  }
  return response;
}

/** The same bytes, read no sooner than they are asked for. */
function watched(body: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
        } catch (error) {
          over();
          return controller.error(error);
        }
        over();
        controller.close();
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
