import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { text as textOf } from 'node:stream/consumers';

/** Clients that ask one after the other, whatever happens to the agent. */
export interface Clients {
  /** When each request was answered with 200, to its last byte, on the clock of `performance.now()`. */
  readonly answeredMs: readonly number[];
  stop(): Promise<void>;
}

export function startClients(url: string, clients: number, pauseMs: number): Clients {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const answeredMs: number[] = [];
  const state = { stopped: false };
  const client = async (): Promise<void> => {
    while (!state.stopped) {
      const status = await post(url, agent).catch(() => 0);
      if (status === 200) answeredMs.push(performance.now());
      await delay(pauseMs);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    answeredMs,
    async stop() {
      state.stopped = true;
      await running;
      agent.destroy();
    },
  };
}

function post(url: string, agent: Agent): Promise<number> {
  const body = '{"text":"Hello"}';
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sending = request(url, { method: 'POST', agent, headers });
    sending.on('error', reject);
    sending.on('response', (response) => {
      textOf(response).then(() => resolve(response.statusCode ?? 0), reject);
    });
    sending.end(body);
  });
}
