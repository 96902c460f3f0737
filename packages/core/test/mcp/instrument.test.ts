import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { current, type Observer, openOperations, run } from '../../src/index.ts';
import { instrumentMcpTransport } from '../../src/mcp/index.ts';
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

describe('MCP over an instrumented transport', () => {
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

  test('a connection that closes leaves no operation open', async () => {
    const call = client.callTool({ name: 'hangs' }).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    await client.close();
    await call;
    expect(openOperations()).toBe(0);
  });

  test('what is no request passes through as it is', async () => {
    await client.notification({ method: 'notifications/initialized' });
    await expect(client.ping()).resolves.toEqual({});
    expect(seen.ends.map(({ start }) => (start as { method: string }).method)).toEqual(['ping', 'ping']);
  });
});
