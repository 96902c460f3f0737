import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { current, type Observer, openOperations, run } from '../../src/index.ts';
import { instrumentMcpTransport, type McpTransport } from '../../src/mcp/index.ts';
import { recorder } from '../operations/support.ts';

const tracing: Partial<Observer> = {
  inject: (carrier) => void (carrier['traceparent'] = '00-1-2-01'),
  carrierFields: ['traceparent'],
};

let seen: ReturnType<typeof recorder>;
let client: Client;
let server: McpServer;
const inTool: unknown[] = [];

beforeEach(async () => {
  seen = recorder(tracing);
  inTool.length = 0;
  client = new Client({ name: 'client', version: '1' });
  server = new McpServer({ name: 'server', version: '1' });
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => {
    inTool.push(current());
    return { content: [{ type: 'text', text: String(a + b) }] };
  });
  server.registerTool('broken', {}, () => {
    throw new Error('broken');
  });
  server.registerTool('hangs', {}, () => new Promise(() => {}));
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(instrumentMcpTransport(far));
  await client.connect(instrumentMcpTransport(near));
  seen.ends.length = 0;
});

afterEach(async () => {
  await client.close();
  await server.close();
  seen[Symbol.dispose]();
});

const ended = () => seen.ends.map(({ start, attributes, outcome }) => ({ ...start, ...attributes, outcome }));

/** A transport to nowhere, with the callbacks of a protocol. */
const connected = (onmessage: (message: never) => void) =>
  Object.assign(instrumentMcpTransport<McpTransport>({ send: async () => {} }), { onmessage, onclose: () => {} });

describe('MCP over an instrumented transport', () => {
  test('a callback that was set before the protocol set its own is called once for each message, and each request counts once', async () => {
    const [near, far] = InMemoryTransport.createLinkedPair();
    const methods: unknown[] = [];
    const transport = Object.assign(instrumentMcpTransport(far), {
      onmessage: (message: object) => void methods.push('method' in message ? message.method : undefined),
    });
    const other = new McpServer({ name: 'other', version: '1' });
    other.registerTool('now', {}, () => ({ content: [{ type: 'text', text: 'noon' }] }));
    await other.connect(transport);
    const asking = new Client({ name: 'asking', version: '1' });
    await asking.connect(near);
    seen.ends.length = 0;
    methods.length = 0;
    await asking.callTool({ name: 'now', arguments: {} });
    expect(ended()).toEqual([{ method: 'tools/call', role: 'server', tool: 'now', outcome: 'ok' }]);
    expect(methods).toEqual(['tools/call']);
    await asking.close();
    await other.close();
  });

  test('a tool call is an operation on either side, with the name of the tool', async () => {
    await expect(client.callTool({ name: 'add', arguments: { a: 1, b: 2 } })).resolves.toMatchObject({
      content: [{ text: '3' }],
    });
    expect(ended()).toEqual([
      { method: 'tools/call', role: 'server', tool: 'add', outcome: 'ok' },
      { method: 'tools/call', role: 'client', tool: 'add', outcome: 'ok' },
    ]);
  });

  test('OT2: the request id, the deadline and the trace reach the tool', async () => {
    await run({ requestId: 'r-1', deadlineMs: performance.now() + 5_000 }, () =>
      client.callTool({ name: 'add', arguments: { a: 1, b: 2 } }),
    );
    expect(inTool).toEqual([
      { requestId: 'r-1', protocol: 'mcp', carrier: { traceparent: '00-1-2-01' }, deadlineMs: expect.any(Number) },
    ]);
  });

  test('a tool that fails is an error on either side', async () => {
    await expect(client.callTool({ name: 'broken' })).resolves.toMatchObject({ isError: true });
    expect(ended().map(({ outcome }) => outcome)).toEqual(['error', 'error']);
  });

  test('an answer that is an error keeps its code', async () => {
    await expect(client.request({ method: 'no/such' as never }, z.any())).rejects.toThrow();
    expect(ended()).toEqual([
      { method: 'no/such', role: 'server', errorCode: -32_601, outcome: 'error' },
      { method: 'no/such', role: 'client', errorCode: -32_601, outcome: 'error' },
    ]);
  });

  test('a call that is given up is cancelled on either side', async () => {
    const controller = new AbortController();
    const call = client.callTool({ name: 'hangs' }, undefined, { signal: controller.signal }).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await call;
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended().map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
  });

  test('a call that takes too long is a timeout for its sender', async () => {
    await expect(client.callTool({ name: 'hangs' }, undefined, { timeout: 15 })).rejects.toThrow('timed out');
    const late = AbortSignal.timeout(15);
    await expect(client.callTool({ name: 'hangs' }, undefined, { signal: late })).rejects.toThrow('TimeoutError');

    expect(seen.ends.map(({ start, outcome }) => [(start as { role: string }).role, outcome])).toEqual([
      ['client', 'timeout'],
      ['server', 'cancelled'],
      ['client', 'timeout'],
      ['server', 'cancelled'],
    ]);
  });

  test('a call whose connection the other side ends is an error that may be tried again', async () => {
    const call = client.callTool({ name: 'hangs' });
    const failed = expect(call).rejects.toThrow('Connection closed');
    await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    await failed;

    expect(seen.ends.map(({ outcome, category, code }) => ({ outcome, category, code }))).toEqual(
      expect.arrayContaining([
        { outcome: 'error', category: 'transient', code: 'SAGE_MCP_CONNECTION_LOST' },
        { outcome: 'cancelled', category: undefined, code: undefined },
      ]),
    );
  });

  test('a request whose id comes again ends as cancelled', async () => {
    const received: unknown[] = [];
    const peer = connected((message) => void received.push(message));
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' } as never;
    peer.onmessage?.(ping);
    peer.onmessage?.(ping);
    await peer.send({ jsonrpc: '2.0', id: 1, result: {} } as never);

    expect(received).toEqual([ping, ping]);
    expect(ended().map(({ outcome }) => outcome)).toEqual(['cancelled', 'ok']);
  });

  test('malformed fields of a context are left out, and messages that are none pass through', () => {
    const contexts: unknown[] = [];
    const peer = connected(() => void contexts.push(current()));
    const fields = [{ 'x-request-id': [['r']] }, { 'x-request-id': 7, 'x-request-timeout-ms': 'soon' }, 'text', null];
    fields.forEach((_meta, id) => peer.onmessage?.({ jsonrpc: '2.0', id, method: 'ping', params: { _meta } } as never));
    for (const message of [null, 'text', 7, []]) peer.onmessage?.(message as never);
    peer.onclose?.();

    expect(contexts.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => ({ protocol: 'mcp' })));
    expect(contexts).toHaveLength(8);
    expect(openOperations()).toBe(0);
  });

  test('a call on a connection that this side ends is cancelled, and no operation stays open', async () => {
    const call = client.callTool({ name: 'hangs' }).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    await client.close();
    await call;
    expect(ended().map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    expect(openOperations()).toBe(0);
  });

  test('what is no request passes through as it is', async () => {
    await client.notification({ method: 'notifications/initialized' });
    await expect(client.ping()).resolves.toEqual({});
    expect(seen.ends.map(({ start }) => (start as { method: string }).method)).toEqual(['ping', 'ping']);
  });
});
