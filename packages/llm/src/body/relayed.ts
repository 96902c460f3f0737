/** The same response with another body, and with other header fields where they are given. */
export function relayed(
  from: Response,
  body: ReadableStream<Uint8Array> | null,
  headers: Headers = from.headers,
): Response {
  return new RelayedResponse(body, { from, headers });
}

interface Origin {
  readonly from: Response;
  readonly headers: Headers;
}

/**
 * A made response says nothing of where it came from; this one says what the fetched one did. Its header fields are those of that one, not a copy: it is
 * made for every call, and copying them is most of what that would cost.
 */
class RelayedResponse extends Response {
  readonly #origin: Origin;

  constructor(body: ReadableStream<Uint8Array> | null, origin: Origin) {
    const { status, statusText } = origin.from;
    super(body, { status, statusText });
    this.#origin = origin;
  }

  // The types call these fields; they are accessors and methods of the prototype, there as here.
  static {
    Object.defineProperties(this.prototype, {
      headers: accessor(({ headers }) => headers),
      url: accessor(({ from }) => from.url),
      redirected: accessor(({ from }) => from.redirected),
      type: accessor(({ from }) => from.type),
      clone: {
        value(this: RelayedResponse): Response {
          return new RelayedResponse(Response.prototype.clone.call(this).body, this.#origin);
        },
      },
    });

    function accessor(read: (origin: Origin) => unknown): PropertyDescriptor {
      return {
        get(this: RelayedResponse): unknown {
          return read(this.#origin);
        },
      };
    }
  }
}
