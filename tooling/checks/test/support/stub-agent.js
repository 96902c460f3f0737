/**
 * The smallest thing the probe can talk to: an echo over the SDK's JSON-RPC handler, a health listener and a metrics listener.
 *
 * `node stub-agent.js AGENT_PORT HEALTH_PORT METRICS_PORT` (0 takes a free one) prints `{ agent, health, metrics }` as its first line.
 * `--no-metrics` leaves the counter out. SIGINT ends it with exit code 0.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { AgentCard, Role, TaskState } from '@a2a-js/sdk';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from '@a2a-js/sdk/server';

const [agentPort = 0, healthPort = 0, metricsPort = 0] = process.argv
  .slice(2)
  .filter((arg) => /^\d+$/.test(arg))
  .map(Number);
const counted = !process.argv.includes('--no-metrics');
let requests = 0;

const executor = {
  async execute({ userMessage, taskId, contextId }, bus) {
    requests += 1;
    const status = (state) => ({ state, message: undefined, timestamp: new Date().toISOString() });
    const reply = { ...userMessage, messageId: randomUUID(), role: Role.ROLE_AGENT, taskId, contextId };
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: status(TaskState.TASK_STATE_WORKING),
        artifacts: [],
        history: [],
        metadata: undefined,
      }),
    );
    bus.publish(
      AgentEvent.statusUpdate({
        taskId,
        contextId,
        status: { ...status(TaskState.TASK_STATE_COMPLETED), message: reply },
        metadata: undefined,
      }),
    );
    bus.finished();
  },
  async cancelTask() {},
};

let handler;
let card;

async function answer(request, response) {
  if (request.method === 'GET' && request.url === '/.well-known/agent-card.json') {
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(AgentCard.toJSON(card)));
  }
  const result = await handler.handle(await json(request), new ServerCallContext({ requestedVersion: '1.0' }));
  if (typeof result[Symbol.asyncIterator] !== 'function') {
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
  }
  response.setHeader('content-type', 'text/event-stream');
  for await (const event of result) response.write(`data: ${JSON.stringify(event)}\n\n`);
  return response.end();
}

const listen = async (port, listener) => {
  const server = createServer(listener).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
};

const agent = await listen(agentPort, answer);
const health = await listen(healthPort, (_request, response) => response.end('ok'));
const metrics = await listen(metricsPort, (_request, response) =>
  response.end(counted ? `sage_agent_requests_total{outcome="ok"} ${requests}\n` : '\n'),
);
card = AgentCard.fromJSON({
  name: 'stub',
  description: 'echo',
  version: '1.0.0',
  supportedInterfaces: [{ url: `${agent.url}/`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
});
handler = new JsonRpcTransportHandler(new DefaultRequestHandler(card, new InMemoryTaskStore(), executor));

console.log(JSON.stringify({ agent: agent.url, health: health.url, metrics: metrics.url }));
console.log(`Try:\n\n  curl ${agent.url}/.well-known/agent-card.json\n`);

process.on('SIGINT', () => {
  for (const { server } of [agent, health, metrics]) {
    server.close();
    server.closeAllConnections();
  }
});
