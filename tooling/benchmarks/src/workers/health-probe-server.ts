/**
 * What is probed: `health`, our listener in its thread, with a dependency that never answers; or `bare`, a node:http server that answers the same bytes.
 * Says where it listens, and how often the dependency was asked.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealth } from '@sage-adk/health';
import { listenForProbes } from '@sage-adk/health/node';

/** What the server says to who started it. */
export interface ServerMessage {
  readonly url: string;
  /** Milliseconds from one run of the check to the next. */
  readonly periodMs: number;
  readonly checkRuns: number;
}

const intervalMs = 500;
const timeoutMs = 500;
let checkRuns = 0;

let url = '';
const tell = (): void =>
  void process.send?.({ url, periodMs: intervalMs + timeoutMs, checkRuns } satisfies ServerMessage);
// Before anything is awaited: nothing else keeps this process, as neither checks nor probes do.
process.on('message', tell);
url = process.argv[2] === 'bare' ? await serveBare(process.argv[3] ?? '') : await serveHealth();
tell();

async function serveHealth(): Promise<string> {
  const health = createHealth({
    checks: [
      {
        name: 'storage',
        critical: false,
        check: (signal) => {
          checkRuns += 1;
          return new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('gave up waiting')));
          });
        },
      },
    ],
    intervalMs,
    timeoutMs,
  });
  const probes = await listenForProbes(health, { port: 0 });
  await health.refresh();
  health.markStarted();
  return `${probes.url}/health/ready`;
}

/** @param body what it answers. */
function serveBare(body: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  });
}
