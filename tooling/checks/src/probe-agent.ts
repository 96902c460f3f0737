/**
 * Asks a running agent what a user, an operator and a scraper would ask, and exits with 1 at the first wrong answer.
 *
 * Health: live, ready, startup. A2A, with the official SDK's client: card, message, stream, task. Then the metrics must have counted the requests.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Message, type Part, Role, type SendMessageRequest, type Task } from '@a2a-js/sdk';
import { type Client, ClientFactory } from '@a2a-js/sdk/client';

const { values: options } = parseArgs({
  options: {
    agent: { type: 'string', default: 'http://127.0.0.1:8080' },
    health: { type: 'string', default: 'http://127.0.0.1:8081' },
    metrics: { type: 'string', default: 'http://127.0.0.1:9464' },
    /** How long the agent may take to become ready; the first start installs and builds. */
    'ready-ms': { type: 'string', default: '120000' },
    /** Ask nothing more once it is ready. */
    'only-ready': { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  await becomesReady(`${options.health}/health/ready`, Number(options['ready-ms']));
  if (options['only-ready']) return;
  for (const probe of ['live', 'ready', 'startup']) await answers(`${options.health}/health/${probe}`);
  await speaksA2a(await new ClientFactory().createFromUrl(options.agent));
  await countsRequests(`${options.metrics}/metrics`);
}

async function becomesReady(url: string, withinMs: number): Promise<void> {
  const startedMs = performance.now();
  let last = 'no answer';
  while (performance.now() - startedMs < withinMs) {
    last = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(({ status }) => String(status), String);
    if (last === '200') return tell(`ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await delay(100);
  }
  throw new Error(`${url} was not 200 within ${withinMs} ms; last: ${last}`);
}

async function answers(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body}`);
  tell(`${url} answers 200`);
  return body;
}

async function speaksA2a(client: Client): Promise<void> {
  const { name, version } = await client.getAgentCard();
  tell(`agent card: ${name} ${version}`);

  const reply = await client.sendMessage(request('Hello'), { signal: AbortSignal.timeout(30_000) });
  const text = textOf(reply);
  if (text === '') throw new Error(`the reply to a message holds no text: ${JSON.stringify(reply)}`);
  tell(`message answered: ${text.slice(0, 80)}`);

  const streamed = await streamMessage(client);
  const taskId = isTask(reply) ? reply.id : streamed;
  if (taskId === undefined) return;
  const task = await client.getTask({ tenant: '', id: taskId }, { signal: AbortSignal.timeout(5_000) });
  if (task.id !== taskId) throw new Error(`asked for task ${taskId}, got ${task.id}`);
  tell(`task found: ${task.id}`);
}

/** Resolves with the id of the task the stream told of, if it did. */
async function streamMessage(client: Client): Promise<string | undefined> {
  const stream = client.sendMessageStream(request('Hello again'), { signal: AbortSignal.timeout(30_000) });
  let events = 0;
  let taskId: string | undefined;
  for await (const { payload } of stream) {
    events += 1;
    if (payload?.$case === 'task') taskId = payload.value.id;
  }
  if (events === 0) throw new Error('the stream of a message held no event');
  tell(`stream answered in ${events} events`);
  return taskId;
}

/** The catalogue's own counter, above zero. The last request may end a moment after its answer, so it is asked for a second. */
async function countsRequests(url: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const line = (await answers(url)).split('\n').find((text) => /^sage_agent_requests\w*(\{.*\})? [1-9]/.test(text));
    if (line !== undefined) return tell(line);
    await delay(50);
  }
  throw new Error(`${url} shows no sage_agent_requests above zero`);
}

function request(text: string): SendMessageRequest {
  const part: Part = {
    content: { $case: 'text', value: text },
    metadata: undefined,
    filename: '',
    mediaType: 'text/plain',
  };
  const message: Message = {
    messageId: randomUUID(),
    contextId: '',
    taskId: '',
    role: Role.ROLE_USER,
    parts: [part],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
  return { tenant: '', message, configuration: undefined, metadata: undefined };
}

function textOf(reply: Message | Task): string {
  const parts = isTask(reply)
    ? [...(reply.status?.message?.parts ?? []), ...reply.artifacts.flatMap((artifact) => artifact.parts)]
    : reply.parts;
  return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
}

function isTask(reply: Message | Task): reply is Task {
  return 'artifacts' in reply;
}

function tell(line: string): void {
  console.log(`  ${line}`);
}

await main().catch((error: unknown) => {
  console.error(`probe failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
