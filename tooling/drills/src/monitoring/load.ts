/** Light load of every kind: plain messages and streams, A2A, refusals, and what goes wrong at a provider. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Stage, users } from './stage.ts';

type User = keyof typeof users | 'nobody';

export interface Load {
  /** Answers by their status. */
  readonly statuses: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** Asks on and on, a few times a second, until it is stopped. */
export function startLoad(stage: Stage): Load {
  const statuses = new Map<number, number>();
  const stopping = new AbortController();
  const count = (status: number): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const client = async (ask: () => Promise<number>, pauseMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      count(await ask().catch(() => 0));
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = Promise.all([
    client(() => say(stage, 'ada'), 150),
    client(() => say(stage, 'ada', 'text/event-stream'), 150),
    client(() => sayByA2a(stage, 'SendMessage'), 300),
    client(() => sayByA2a(stage, 'SendStreamingMessage'), 300),
    client(() => say(stage, 'few'), 500),
    client(() => say(stage, 'poor'), 500),
    client(() => say(stage, 'nobody'), 500),
  ]);
  return {
    statuses,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** What happens now and then at providers: once each, one after the other, with nobody else there. */
export async function playMishaps(stage: Stage): Promise<void> {
  const { main, spare } = stage;
  // A retry helps.
  main.next({ status: 500 });
  await say(stage, 'ada');
  // A fallback helps.
  main.next({ status: 500 }, { status: 500 });
  await say(stage, 'ada');
  // Nothing helps, so it is a dead letter and a critical error.
  main.next({ status: 500 }, { status: 500 });
  spare.next({ status: 500 }, { status: 500 });
  await say(stage, 'ada');
  // The first word never comes.
  main.next({ stallAfter: 0 }, { stallAfter: 0 });
  await say(stage, 'ada', 'text/event-stream');
}

function say({ agentUrl }: Stage, user: User, accept = 'application/json'): Promise<number> {
  return post(`${agentUrl}/v1/messages`, { text: 'What time is it?' }, { accept, 'x-api-key': user });
}

let serial = 0;

function sayByA2a({ agentUrl }: Stage, method: 'SendMessage' | 'SendStreamingMessage'): Promise<number> {
  const id = `message-${(serial += 1)}`;
  const message = { messageId: id, role: 'ROLE_USER', parts: [{ text: 'What time is it?' }] };
  const body = { jsonrpc: '2.0', id, method, params: { message } };
  return post(`${agentUrl}/a2a/jsonrpc`, body, { 'a2a-version': '1.0', 'x-api-key': 'ada' });
}

async function post(url: string, body: object, headers: Record<string, string>): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(60_000),
  });
  await response.text();
  return response.status;
}
