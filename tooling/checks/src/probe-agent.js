/**
 * Asks a running agent what a user, an operator and a scraper would ask, and exits with 1 at the first wrong answer.
 *
 * Health: live, ready, startup. A2A, with the official SDK's client: card, message, stream, task. Then the metrics must have counted the requests.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Role } from '@a2a-js/sdk';
import { ClientFactory } from '@a2a-js/sdk/client';

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

await main().catch((error) => {
  console.error(`probe failed: ${error.message}`);
  process.exitCode = 1;
});

async function main() {
  await becomesReady(`${options.health}/health/ready`, Number(options['ready-ms']));
  if (options['only-ready']) return;
  for (const probe of ['live', 'ready', 'startup']) await answers(`${options.health}/health/${probe}`);
  await speaksA2a();
  await countsRequests(`${options.metrics}/metrics`);
}

async function becomesReady(url, withinMs) {
  const startedMs = performance.now();
  let last = 'no answer';
  while (performance.now() - startedMs < withinMs) {
    last = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(({ status }) => status, String);
    if (last === 200) return tell(`ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await delay(100);
  }
  throw new Error(`${url} was not 200 within ${withinMs} ms; last: ${last}`);
}

async function answers(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  tell(`${url} answers 200`);
  return response.text();
}

async function speaksA2a() {
  const client = await new ClientFactory().createFromUrl(options.agent);
  const { name, version } = await client.getAgentCard();
  tell(`agent card: ${name} ${version}`);

  const reply = await client.sendMessage(request('Hello'), { signal: AbortSignal.timeout(30_000) });
  const text = textOf([reply.parts, reply.status?.message, reply.artifacts]);
  if (text === '') throw new Error(`the reply to a message holds no text: ${JSON.stringify(reply)}`);
  tell(`message answered: ${text.slice(0, 80)}`);

  let events = 0;
  let taskId = reply.status === undefined ? undefined : reply.id;
  for await (const { payload } of client.sendMessageStream(request('Hello again'), {
    signal: AbortSignal.timeout(30_000),
  })) {
    events += 1;
    if (payload?.$case === 'task') taskId ??= payload.value.id;
  }
  if (events === 0) throw new Error('the stream of a message held no event');
  tell(`stream answered in ${events} events`);

  if (taskId === undefined) return;
  const task = await client.getTask({ tenant: '', id: taskId }, { signal: AbortSignal.timeout(5_000) });
  if (task.id !== taskId) throw new Error(`asked for task ${taskId}, got ${task.id}`);
  tell(`task found: ${task.id}`);
}

/** The catalogue's own counter, above zero. Metrics are gathered at the scrape, so one look is enough; a second is given to a slow machine. */
async function countsRequests(url) {
  for (let tries = 0; tries < 20; tries++) {
    const line = (await answers(url)).split('\n').find((text) => /^sage_agent_requests\w*(\{.*\})? [1-9]/.test(text));
    if (line !== undefined) return tell(line);
    await delay(50);
  }
  throw new Error(`${url} shows no sage_agent_requests above zero`);
}

function request(text) {
  return {
    tenant: '',
    message: {
      messageId: randomUUID(),
      contextId: '',
      taskId: '',
      role: Role.ROLE_USER,
      parts: [{ content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' }],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: undefined,
    metadata: undefined,
  };
}

/** All the text in the parts of a value, however deep they stand. */
function textOf(value) {
  if (value === null || typeof value !== 'object') return '';
  if (value.$case === 'text') return value.value;
  return Object.values(value).map(textOf).join('');
}

function tell(line) {
  console.log(`  ${line}`);
}
