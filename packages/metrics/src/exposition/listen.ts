import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requireWhole, systemClock } from '@sage-adk/core';
import { errors } from '../errors.ts';
import type { Handler } from './scrape-handler.ts';

export interface ListenOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 9464 */
  readonly port?: number;
  /** @default '/metrics' */
  readonly path?: string;
}

/** A listener of its own for metrics. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Answers what it is answering, for a second at most, and takes no more. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const closingMs = 1_000;

/** Listens, or throws `PORT_IN_USE` or `LISTEN_FAILED`. */
export async function listen(
  handler: Handler,
  { host = '127.0.0.1', port = 9464, path }: ListenOptions & { readonly path: string },
): Promise<Listening> {
  requireWhole('port', port, 0, 65_535);
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, handler);
  await new Promise<void>((resolve, reject) => {
    // Stays for good: what the socket reports later must not end the process.
    server.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') reject(errors.PORT_IN_USE({ host, port }, { cause }));
      else reject(errors.LISTEN_FAILED({ host, port, reason: cause.code ?? cause.message }, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const cut = systemClock.setTimer(() => server.closeAllConnections(), closingMs);
      server.close(() => {
        cut.cancel();
        resolve();
      });
    });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}${path}`;
  return { host, port: bound, url, close, [Symbol.asyncDispose]: close };
}
