import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

/** A Pushgateway that keeps, of each process, the count of answered requests in its last push. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  /** In the order of their first push. */
  readonly processes: readonly PushingProcess[];
  /** Resolves at the next push. */
  pushed(): Promise<unknown>;
}

export interface PushingProcess {
  readonly path: string;
  /** Pushes that came whole. */
  readonly pushes: number;
  /** Answered requests as of the last one. */
  readonly counted: number;
  /** When the last but one was answered, on the clock of `performance.now()`: what happened before is in the last one. */
  readonly beforeMs: number;
}

interface Kept {
  path: string;
  pushes: number;
  counted: number;
  beforeMs: number;
  lastMs: number;
}

export async function startGateway(): Promise<Gateway> {
  const processes: Kept[] = [];
  const server = createServer((request, response) => {
    const { url: path = '' } = request;
    textOf(request).then(
      (text) => {
        let kept = processes.find((one) => one.path === path);
        if (kept === undefined) processes.push((kept = { path, pushes: 0, counted: 0, beforeMs: 0, lastMs: 0 }));
        Object.assign(kept, {
          pushes: kept.pushes + 1,
          counted: answeredIn(text),
          beforeMs: kept.lastMs,
          lastMs: performance.now(),
        });
        response.end(() => server.emit('pushed'));
      },
      // A process that was killed while it pushed.
      () => response.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    processes,
    pushed: () => once(server, 'pushed'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answeredIn(text: string): number {
  const lines = text.matchAll(/^sage_agent_requests_total\{[^}]*method="messages"[^}]*outcome="ok"[^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}
