/** What A2A and MCP clients throw for each error of their protocol, and plain statuses of HTTP. */
import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentCard } from '@a2a-js/sdk';
import { JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { caught, type Origin, packageAndVersion, type Recorded } from '../origin.ts';

/** @see https://a2a-protocol.org/latest/specification/ section 5.4 */
const a2aCodes = {
  'parse error': -32_700,
  'invalid request': -32_600,
  'method not found': -32_601,
  'invalid params': -32_602,
  'internal error': -32_603,
  'task not found': -32_001,
  'task not cancelable': -32_002,
  'push notifications not supported': -32_003,
  'unsupported operation': -32_004,
  'content type not supported': -32_005,
  'invalid agent response': -32_006,
  'extended card not configured': -32_007,
  'extension support required': -32_008,
  'version not supported': -32_009,
} as const;

const statuses = [400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 423, 425, 429, 499] as const;
const serverStatuses = [500, 501, 502, 503, 504, 505, 520, 522, 524, 529] as const;

export const protocolOrigins: readonly Origin[] = [
  { name: 'a2a', from: packageAndVersion('@a2a-js/sdk'), record: recordA2a },
  { name: 'mcp', from: packageAndVersion('@modelcontextprotocol/sdk'), record: recordMcp },
  { name: 'http', from: 'statuses of RFC 9110, 6585, 8470 and of proxies', record: recordStatuses },
];

async function recordA2a(): Promise<readonly Recorded[]> {
  let answer: { readonly status: number; readonly body: unknown } = { status: 200, body: {} };
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const card = { supportedInterfaces: [] } as unknown as AgentCard;
  const rpc = await new JsonRpcTransportFactory().create(url, card);
  const rest = await new RestTransportFactory().create(url, card);
  const task = { tenant: '', id: 'task-1' };
  const recorded: Recorded[] = [];
  for (const [message, code] of Object.entries(a2aCodes)) {
    answer = { status: 200, body: { jsonrpc: '2.0', id: 1, error: { code, message } } };
    recorded.push(await caught(`${message} ${code}`, () => rpc.getTask(task)));
  }
  for (const [status, code] of [
    [404, 'NOT_FOUND'],
    [400, 'INVALID_ARGUMENT'],
    [429, 'RESOURCE_EXHAUSTED'],
    [500, 'INTERNAL'],
    [503, 'UNAVAILABLE'],
  ] as const) {
    answer = { status, body: { error: { code: status, status: code, message: STATUS_CODES[status], details: [] } } };
    recorded.push(await caught(`REST ${status}`, () => rest.getTask(task)));
  }
  for (const status of [401, 429, 503]) {
    answer = { status, body: { message: STATUS_CODES[status] } };
    recorded.push(await caught(`JSON-RPC over ${status}`, () => rpc.getTask(task)));
  }
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  recorded.push(await caught('connection that was closed', () => rpc.getTask(task)));
  recorded.push(await caught('connection refused', () => rpc.getTask(task)));
  return recorded;
}

/** A server of one answer. */
class AnsweringTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  answer: 'result' | 'nothing' | 'close' | { readonly code: number; readonly message: string } = 'result';

  async start(): Promise<void> {}

  async close(): Promise<void> {
    this.onclose?.();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!('id' in message) || !('method' in message)) return;
    const { id } = message;
    const serverInfo = { name: 'corpus', version: '1' };
    if (message.method === 'initialize') {
      const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo };
      setImmediate(() => this.onmessage?.({ jsonrpc: '2.0', id, result }));
    } else if (this.answer === 'close') setImmediate(() => this.onclose?.());
    else if (typeof this.answer === 'object') {
      const error = this.answer;
      setImmediate(() => this.onmessage?.({ jsonrpc: '2.0', id, error }));
    }
  }
}

async function recordMcp(): Promise<readonly Recorded[]> {
  const transport = new AnsweringTransport();
  const client = new Client({ name: 'corpus', version: '1' });
  await client.connect(transport);
  const answered = (name: string, code: number) =>
    caught(name, () => {
      transport.answer = { code, message: name };
      return client.callTool({ name: 'clock' });
    });
  const recorded = [
    await answered('parse error', -32_700),
    await answered('invalid request', -32_600),
    await answered('method not found', -32_601),
    await answered('invalid params', -32_602),
    await answered('internal error', -32_603),
    await answered('resource not found', -32_002),
    await caught('request timeout', () => {
      transport.answer = 'nothing';
      return client.callTool({ name: 'clock' }, undefined, { timeout: 30 });
    }),
    await caught('aborted by the caller', () => {
      transport.answer = 'nothing';
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      return client.callTool({ name: 'clock' }, undefined, { signal: controller.signal });
    }),
    await caught('connection closed', () => {
      transport.answer = 'close';
      return client.callTool({ name: 'clock' });
    }),
  ];
  return recorded;
}

/** An error as a thin client makes it of a response: the status and the header fields. */
class StatusError extends Error {
  readonly status: number;
  readonly headers: Headers;

  constructor(response: Response) {
    super(`${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim());
    this.status = response.status;
    this.headers = response.headers;
  }
}

async function recordStatuses(): Promise<readonly Recorded[]> {
  const failing = (status: number, headers: Record<string, string> = {}) => {
    throw new StatusError(new Response(null, { status, headers }));
  };
  const recorded: Recorded[] = [];
  for (const status of [...statuses, ...serverStatuses])
    recorded.push(await caught(String(status), () => failing(status)));
  recorded.push(
    await caught('503 with Retry-After', () => failing(503, { 'retry-after': '120' })),
    await caught('429 with retry-after-ms', () => failing(429, { 'retry-after-ms': '1500' })),
    await caught('400 that says to retry', () => failing(400, { 'x-should-retry': 'true' })),
    await caught('500 that says not to retry', () => failing(500, { 'x-should-retry': 'false' })),
  );
  return recorded;
}
