/** A Pushgateway for tests: it keeps what comes, and answers as it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

export interface PushReceiver extends AsyncDisposable {
  /** For `createPush`: on a free port of 127.0.0.1. */
  readonly url: string;
  /** Pushes that came whole, the first one first. */
  readonly received: readonly ReceivedPush[];
  /** Resolves when the next one came whole. It may not be answered yet. */
  pushed(): Promise<void>;
  /** Breaks what is not answered, and frees the port. */
  close(): Promise<void>;
}

export interface ReceivedPush {
  readonly method: string;
  /** The path, as it was sent: it names the job and the grouping. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The metrics as text. */
  readonly body: string;
}

/**
 * Starts a receiver.
 *
 * @param answer ends the response, now or later, or never; `count` is 1 for the first push. @default 200 at once
 * @example
 * ```ts
 * await using receiver = await startPushReceiver();
 * await using push = createPush({ metrics, url: receiver.url, job: 'nightly' });
 * ```
 */
export async function startPushReceiver(
  answer: (response: ServerResponse, count: number) => void = (response) => response.end(),
): Promise<PushReceiver> {
  const received: ReceivedPush[] = [];
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    textOf(request).then(
      (body) => {
        received.push({ method, path, headers, body });
        answer(response, received.length);
        server.emit('pushed');
      },
      // Whoever pushed is gone.
      () => response.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    pushed: async () => void (await once(server, 'pushed')),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}
