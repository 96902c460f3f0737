import type { Server, ServerResponse } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import type { DrainStep } from './step.ts';

export interface ServerStepOptions {
  /** @default 'server' */
  readonly name?: string;
  /** Milliseconds that requests and streams get to their end; then their connections are cut. @default 5_000 */
  readonly timeoutMs?: number;
}

/** How often connections are looked for whose last answer is sent. */
const sweepMs = 50;

/**
 * The step that ends a `node:http` server: from the beginning of the drain each answer is the last of its connection; after the delay nothing more is
 * accepted, and requests and streams get to their end, however slowly they are read. Connections without a request are closed, upgraded ones cut at the end of the time. Make it
 * before the server listens: it counts connections.
 */
export function serverStep(server: Server, { name = 'server', ...timeout }: ServerStepOptions = {}): DrainStep {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', track).on('secureConnection', track);
  return {
    name,
    ...timeout,
    announce() {
      server.prependListener('request', (_request, response: ServerResponse) => {
        response.shouldKeepAlive = false;
      });
    },
    run: (signal) => close(server, sockets, signal),
  };
}

function close(server: Server, sockets: ReadonlySet<Socket>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => {
      server.closeAllConnections();
      // Upgraded connections are the server's no more.
      for (const socket of sockets) socket.destroy();
    };
    const silent = new WeakSet<Socket>();
    // A stream that began before keeps its connection open after its end. What Node takes for idle may still hold the last bytes of an answer that is
    // read slowly, and closing it would drop them.
    const sweep = (): void => {
      if (![...sockets].some(({ writableLength }) => writableLength > 0)) server.closeIdleConnections();
      // What clients opened in advance is not idle to Node. The first request may be on its way: it has until the next time.
      for (const socket of sockets) {
        if (socket.bytesRead > 0) continue;
        if (silent.has(socket)) socket.destroy();
        else silent.add(socket);
      }
    };
    const timer = setInterval(sweep, sweepMs);
    signal.addEventListener('abort', cut, { once: true });
    // Not the server's own close, which drops those bytes as well. Also called, with an error, where the server does not listen.
    TcpServer.prototype.close.call(server, () => {
      clearInterval(timer);
      signal.removeEventListener('abort', cut);
      // Nothing is left to drop; this ends its timers.
      server.close();
      resolve();
    });
    if (signal.aborted) cut();
    else sweep();
  });
}
