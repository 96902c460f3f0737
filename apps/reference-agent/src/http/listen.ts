import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serverStep } from '@sage-adk/health/drain';
import { errors } from '../errors.ts';

/** An HTTP server that accepts requests. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, with a host that a client on this machine can use. */
  readonly url: string;
  readonly listening: boolean;
  /** Hands requests to `listener` from now on. */
  serve(listener: RequestListener): void;
  /** Accepts no more connections and resolves when the requests that run are answered, or cut after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Config block of host and port, for errors. */
  readonly block: string;
}

/** Listens, or throws `PORT_IN_USE` or `LISTEN_FAILED`. */
export async function listen({ host, port, block }: ListenOptions): Promise<Listening> {
  // Longer than the idle time of common load balancers, so that they and not we end an idle connection.
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 });
  const ending = serverStep(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port, block)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    host,
    port: bound,
    url: `http://${reachable(host)}:${bound}`,
    get listening() {
      return server.listening;
    },
    serve: (listener) => void server.on('request', listener),
    close: async (deadlineMs) => void (await ending.run(AbortSignal.timeout(deadlineMs))),
  };
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number, block: string): Error {
  const { code, message } = cause;
  if (code === 'EADDRINUSE') return errors.PORT_IN_USE({ host, port, key: `${block}.port` }, { cause });
  // Ports below 1024 are not everybody's; anything else is wrong with the host.
  const key = code === 'EACCES' ? `${block}.port` : `${block}.host`;
  return errors.LISTEN_FAILED({ host, port, key, reason: code ?? message }, { cause });
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
