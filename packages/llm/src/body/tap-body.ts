/** What is told of a body while its consumer reads it. Exactly one of end, fail and cancel comes, if the consumer ever gets there. */
export interface BodyTap {
  /** Sees each chunk before the consumer does; must neither change nor keep it. */
  chunk?(chunk: Uint8Array): void;
  /** The consumer read all of it. */
  end(): void;
  /** It broke; the consumer gets the same error. */
  fail(error: unknown): void;
  /** The consumer wants no more. */
  cancel(): void;
}

/**
 * The same response, with somebody listening to its body. Undefined where there is no body that can be listened to.
 *
 * Nothing is read before the consumer reads, and never more than it asked for; its `cancel` reaches the source, an error of the source reaches it. A
 * response that is dropped unread leaves the source untouched, so it is released as if nobody listened.
 */
export function tapBody(response: Response, tap: BodyTap): Response | undefined {
  const { body, status } = response;
  if (body === null || typeof body.getReader !== 'function' || response.bodyUsed || status < 200 || status > 599) {
    return undefined;
  }
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const tapped = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Not before the first read, and by way of the response, which so lives as long as this stream: fetch releases the body of a response
        // that was collected, unless it is locked.
        reader ??= (response.body ?? body).getReader();
        try {
          const { done, value } = await reader.read();
          if (done) {
            controller.close();
            tap.end();
          } else {
            tap.chunk?.(value);
            controller.enqueue(value);
          }
        } catch (error) {
          tap.fail(error);
          throw error;
        }
      },
      cancel(reason) {
        tap.cancel();
        return reader === undefined ? body.cancel(reason) : reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return withBody(response, tapped);
}

function withBody(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers } = response;
  return labelled(new Response(body, { status, statusText, headers }), response);
}

/** A made response says nothing of where it came from; this one says what the fetched one did. */
function labelled(made: Response, { url, redirected, type }: Pick<Response, 'url' | 'redirected' | 'type'>): Response {
  const clone = made.clone.bind(made);
  return Object.defineProperties(made, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: () => labelled(clone(), { url, redirected, type }) },
  });
}
