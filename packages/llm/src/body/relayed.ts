/** The same response with another body. */
export function relayed(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers } = response;
  return labelled(new Response(body, { status, statusText, headers }), response);
}

/** A made response says nothing of where it came from; this one says what the fetched one did. */
export function labelled(
  made: Response,
  { url, redirected, type }: Pick<Response, 'url' | 'redirected' | 'type'>,
): Response {
  const clone = made.clone.bind(made);
  return Object.defineProperties(made, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: () => labelled(clone(), { url, redirected, type }) },
  });
}
