import type { Server, ServerResponse } from 'node:http';
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
 * accepted, and requests and streams get to their end.
 */
export function serverStep(server: Server, { name = 'server', ...timeout }: ServerStepOptions = {}): DrainStep {
  return {
    name,
    ...timeout,
    announce() {
      server.prependListener('request', (_request, response: ServerResponse) => {
        response.shouldKeepAlive = false;
      });
    },
    run: (signal) => close(server, signal),
  };
}

function close(server: Server, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => server.closeAllConnections();
    // A stream that began before keeps its connection open after its end.
    const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
    signal.addEventListener('abort', cut, { once: true });
    // Also called, with an error, where the server does not listen.
    server.close(() => {
      clearInterval(sweep);
      signal.removeEventListener('abort', cut);
      resolve();
    });
  });
}
