import type { AddressInfo } from 'node:net';
import { errors } from '../errors.ts';
import { type Answering, createProbeServer } from './respond.ts';

/** Probes that are served somewhere, until they are closed. */
export interface ServedProbes {
  readonly port: number;
  /** Resolves with the reason where serving ended and nobody asked for it. */
  readonly broken: Promise<string>;
  close(): Promise<void>;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Serves the probes in this thread: while its event loop is blocked, they wait. */
export async function serveHere(answering: Answering, { host, port }: Place): Promise<ServedProbes> {
  const server = createProbeServer(answering);
  await new Promise<void>((resolve, reject) => {
    // Stays for good: what the socket reports later must not end the process.
    server.on('error', (cause: NodeJS.ErrnoException) =>
      reject(errors.LISTEN_FAILED({ host, port, reason: cause.code ?? cause.message }, { cause })),
    );
    server.listen(port, host, resolve);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    broken: new Promise(() => {}),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
