import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { A2A_PROTOCOL_VERSION, type AgentCard, formatSSEEvent, type Message, Role, TaskState } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from '@a2a-js/sdk/server';
import { extract, run } from '../../src/index.ts';
import { instrumentA2aHandler } from '../../src/a2a/index.ts';

/** A small agent on the real SDK: `fail` fails the task, `throw` breaks the executor, `task` answers with a task, anything else with a message. */
export async function startAgent(onMessage: () => void): Promise<{ card: AgentCard; close(): Promise<void> }> {
  const executor: AgentExecutor = {
    async execute({ taskId, contextId, userMessage }, bus) {
      onMessage();
      const text = userMessage.parts[0]?.content?.$case === 'text' ? userMessage.parts[0].content.value : '';
      if (text === 'throw') throw new Error('broken executor');
      if (text !== 'fail' && text !== 'task')
        return bus.publish(AgentEvent.message(message('m-answer', Role.ROLE_AGENT, text)));
      const status = (state: TaskState) => ({ state, message: undefined, timestamp: new Date().toISOString() });
      bus.publish(
        AgentEvent.task({
          id: taskId,
          contextId,
          status: status(TaskState.TASK_STATE_SUBMITTED),
          artifacts: [],
          history: [],
          metadata: undefined,
        }),
      );
      const end = text === 'fail' ? TaskState.TASK_STATE_FAILED : TaskState.TASK_STATE_COMPLETED;
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(end), metadata: undefined }));
      bus.finished();
    },
    async cancelTask() {},
  };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const card = cardAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const handler = instrumentA2aHandler(new DefaultRequestHandler(card, new InMemoryTaskStore(), executor));
  serve(server, new JsonRpcTransportHandler(handler));
  return {
    card,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function message(messageId: string, role: Role, text: string): Message {
  return {
    messageId,
    role,
    contextId: '',
    taskId: '',
    parts: [{ content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' }],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
}

function serve(server: Server, transport: JsonRpcTransportHandler): void {
  server.on('request', (request, response) => {
    void run(extract(request.headers), async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const context = new ServerCallContext({ requestedVersion: A2A_PROTOCOL_VERSION });
      const answer = await transport.handle(
        JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
        context,
      );
      if (!(Symbol.asyncIterator in answer))
        return response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      response.setHeader('content-type', 'text/event-stream');
      for await (const event of answer) response.write(formatSSEEvent(event));
      return response.end();
    });
  });
}

function cardAt(url: string): AgentCard {
  return {
    name: 'test',
    description: 'test',
    version: '1',
    supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: A2A_PROTOCOL_VERSION }],
    provider: undefined,
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
    signatures: [],
  };
}
