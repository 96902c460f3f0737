/**
 * The smallest thing the probe can talk to: an echo over the SDK's JSON-RPC handler, a health listener and a metrics listener.
 *
 * `node stub-agent.ts AGENT_PORT HEALTH_PORT METRICS_PORT` (0 takes a free one) prints `{ agent, health, metrics }` as its first line.
 * `--no-metrics` leaves the counter out. SIGINT ends it with exit code 0.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { AgentCard, Role, TaskState, type TaskStatus } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from '@a2a-js/sdk/server';

interface Listener {
  readonly server: Server;
  readonly url: string;
}

const [agentPort = 0, healthPort = 0, metricsPort = 0] = process.argv.filter((arg) => /^\d+$/.test(arg)).map(Number);
const counted = !process.argv.includes('--no-metrics');
let requests = 0;

const executor: AgentExecutor = {
  async execute({ userMessage, taskId, contextId }, bus) {
    requests += 1;
    const message = { ...userMessage, messageId: randomUUID(), role: Role.ROLE_AGENT, taskId, contextId };
    const status = (state: TaskState): TaskStatus => ({ state, message, timestamp: new Date().toISOString() });
    const task = { id: taskId, contextId, artifacts: [], history: [], metadata: undefined };
    bus.publish(AgentEvent.task({ ...task, status: status(TaskState.TASK_STATE_WORKING) }));
    const completed = status(TaskState.TASK_STATE_COMPLETED);
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: completed, metadata: undefined }));
    bus.finished();
  },
  async cancelTask() {},
};

async function listen(port: number, listener: RequestListener): Promise<Listener> {
  const server = createServer(listener).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}` };
}

function cardAt(url: string): AgentCard {
  return AgentCard.fromJSON({
    name: 'stub',
    description: 'echo',
    version: '1.0.0',
    supportedInterfaces: [{ url: `${url}/`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const card = cardAt(agent.url);
  if (request.method === 'GET' && request.url === '/.well-known/agent-card.json') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(AgentCard.toJSON(card)));
    return;
  }
  const handler = new JsonRpcTransportHandler(new DefaultRequestHandler(card, tasks, executor));
  const body = await json(request);
  const result = await handler.handle(JSON.stringify(body), new ServerCallContext({ requestedVersion: '1.0' }));
  if (!(Symbol.asyncIterator in result)) {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  for await (const event of result) response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end();
}

const tasks = new InMemoryTaskStore();
const agent = await listen(agentPort, (request, response) => void answer(request, response));
const health = await listen(healthPort, (_request, response) => response.end('ok'));
const metrics = await listen(metricsPort, (_request, response) =>
  response.end(counted ? `sage_agent_requests_total{outcome="ok"} ${requests}\n` : '\n'),
);

console.log(JSON.stringify({ agent: agent.url, health: health.url, metrics: metrics.url }));
console.log(`Try:\n\n  curl ${agent.url}/.well-known/agent-card.json\n`);

process.on('SIGINT', () => {
  for (const { server } of [agent, health, metrics]) {
    server.close();
    server.closeAllConnections();
  }
});
