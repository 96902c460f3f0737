import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requireWhole } from '@sage-adk/core';
import { errors } from '../errors.ts';
import type { Health } from '../health.ts';
import { createProbeHandler, type ProbeOptions } from './handler.ts';

export interface ProbeListenerOptions extends ProbeOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 8081 */
  readonly port?: number;
}

export interface ProbeListener extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the probes on a port of their own. Rejects with `SAGE_HEALTH_LISTEN_FAILED` where it cannot be had. */
export async function listenForProbes(
  health: Health,
  { host = '127.0.0.1', port = 8081, ...options }: ProbeListenerOptions = {},
): Promise<ProbeListener> {
  requireWhole('port', port, 0, 65_535);
  const limits = { requestTimeout: 10_000, headersTimeout: 10_000 };
  const server = createServer(limits, createProbeHandler(health, options));
  await new Promise<void>((resolve, reject) => {
    // Stays for good: what the socket reports later must not end the process.
    server.on('error', (cause: NodeJS.ErrnoException) =>
      reject(errors.LISTEN_FAILED({ host, port, reason: cause.code ?? cause.message }, { cause })),
    );
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = (): Promise<void> => closeServer(server);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
