import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { json } from 'node:stream/consumers';

/** POSTs, one after the other from each of some clients that keep their connections. */
export interface Load {
  readonly posts: number;
  readonly failures: readonly string[];
  /** Milliseconds of the answers so far, in order. */
  latencies(): readonly number[];
  /** Resolves when the answers that are awaited are there. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly url: string;
  readonly clients: number;
  /** Milliseconds that each client waits between two POSTs. */
  readonly pauseMs: number;
}

export function startLoad({ url, clients, pauseMs }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures: string[] = [];
  const latencies: number[] = [];
  let posts = 0;
  const state = { stopped: false };
  const client = async (): Promise<void> => {
    while (!state.stopped) {
      const text = `message ${posts++}`;
      const sinceMs = performance.now();
      const failure = await post(url, agent, text);
      latencies.push(performance.now() - sinceMs);
      if (failure !== undefined) failures.push(failure);
      if (pauseMs > 0) await delay(pauseMs);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    get posts() {
      return posts;
    },
    failures,
    latencies: () => latencies.toSorted((a, b) => a - b),
    async stop() {
      state.stopped = true;
      await running;
      agent.destroy();
    },
  };
}

/** Why the POST failed; undefined where it was answered as it should be. */
function post(url: string, agent: Agent, text: string): Promise<string | undefined> {
  const body = JSON.stringify({ text });
  return new Promise((resolve) => {
    const sending = request(url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    sending.on('error', (error) => resolve(error.message));
    sending.on('response', (response) => {
      json(response).then(
        (answer) => {
          const isRight = response.statusCode === 200 && (answer as { text?: string }).text === `You said: ${text}`;
          resolve(isRight ? undefined : `${response.statusCode}: ${JSON.stringify(answer).slice(0, 200)}`);
        },
        (error: unknown) => resolve(String(error)),
      );
    });
    sending.end(body);
  });
}
