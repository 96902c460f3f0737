import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { connect, say } from './support/a2a.ts';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { type Answer, get, post } from './support/http.ts';

let agent: TestAgent;
let jsonRpc: string;
let rest: string;
beforeAll(async () => {
  agent = await startTestAgent();
  jsonRpc = `${agent.urls.agent}/a2a/jsonrpc`;
  rest = `${agent.urls.agent}/a2a/rest`;
});
afterAll(async () => {
  // Whatever was sent, the agent is still there.
  const client = await connect(agent.urls.agent, 'JSONRPC');
  expect(await client.sendMessage(say('Hello'))).toMatchObject({ role: 2 });
  await agent.close();
});

const version = { 'a2a-version': '1.0' };
const large = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });

const hello = { message: { messageId: 'hello', role: 'ROLE_USER', parts: [{ text: 'Hello' }] } };

/** What JSON can hold and a copy of it ends at. */
const deepMessage = {
  messageId: 'deep',
  role: 'ROLE_USER',
  parts: [{ text: 'x' }],
  metadata: JSON.parse(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`) as object,
};

function call(fields: Record<string, unknown>): Promise<Answer> {
  return post(jsonRpc, { jsonrpc: '2.0', id: 1, ...fields }, version);
}

describe('JSON-RPC', () => {
  test.each<[string, () => Promise<Answer>, number, number]>([
    ['malformed JSON', () => post(jsonRpc, '{"jsonrpc":', version), 200, -32700],
    ['a batch', () => post(jsonRpc, '[]', version), 200, -32600],
    ['another protocol', () => post(jsonRpc, { hello: 1 }, version), 200, -32600],
    ['null', () => post(jsonRpc, 'null', version), 200, -32600],
    ['an unknown method', () => call({ method: 'Nothing' }), 200, -32601],
    ['missing params', () => call({ method: 'SendMessage' }), 200, -32602],
    ['a message without an id', () => call({ method: 'SendMessage', params: { message: {} } }), 200, -32602],
    ['an id that is no text', () => call({ method: 'GetTask', params: { id: [{ toString: '' }] } }), 200, -32602],
    ['a task that is not there', () => call({ method: 'GetTask', params: { id: 'x' } }), 200, -32001],
    [
      'a version that is not ours',
      () => post(jsonRpc, { jsonrpc: '2.0', id: 1, method: 'GetTask', params: {} }),
      200,
      -32009,
    ],
    ['a body of another type', () => post(jsonRpc, 'x=1', { 'content-type': 'text/plain' }), 415, -32005],
    ['a body over 1 MiB', () => post(jsonRpc, large, version), 413, -32600],
  ])('%s', async (_, send, status, code) => {
    const answer = await send();
    expect(answer.json()).toMatchObject({ jsonrpc: '2.0', error: { code, message: expect.any(String) } });
    expect(answer.status).toBe(status);
  });

  test("values in values, deeper than anybody means, are the client's mistake", async () => {
    for (const method of ['SendMessage', 'SendStreamingMessage']) {
      expect((await call({ method, params: { message: deepMessage } })).json()).toMatchObject({
        error: { code: -32602 },
      });
    }
  });

  test('what an error says in detail is in the error, also of a method that streams', async () => {
    for (const method of ['GetTask', 'SubscribeToTask']) {
      const answer = await call({ method, params: { id: 'x' } });
      expect(Object.keys(answer.json()).toSorted()).toEqual(['error', 'id', 'jsonrpc']);
      expect(answer.json()).toMatchObject({ error: { code: -32001, data: [{ reason: 'TASK_NOT_FOUND' }] } });
    }
  });

  test('the id of the request is in the error', async () => {
    expect((await call({ id: 'mine', method: 'Nothing' })).json()['id']).toBe('mine');
  });
});

describe('REST', () => {
  test.each<[string, () => Promise<Answer>, number]>([
    ['malformed JSON', () => post(`${rest}/message:send`, '{"message":', version), 400],
    ['no body', () => post(`${rest}/message:send`, '', version), 400],
    ['a message without an id', () => post(`${rest}/message:send`, { message: {} }, version), 400],
    ['values in values', () => post(`${rest}/message:send`, { message: deepMessage }, version), 400],
    ['an unknown path', () => post(`${rest}/nothing`, {}, version), 404],
    ['a tenant of two lines', () => post(`${rest}/acme/message:send`, { ...hello, tenant: 'a\nb' }, version), 400],
    [
      'a tenant of two lines in a list',
      () => post(`${rest}/acme/message:send`, { ...hello, tenant: ['a\nb'] }, version),
      400,
    ],
    [
      'a tenant of two lines in a path',
      () => post(`${rest}/a%0Ab/message:send`, { ...hello, tenant: 'acme' }, version),
      400,
    ],
    ['a tenant of two lines in a query', () => get(`${rest}/acme/tasks?tenant=a%0db`, version), 400],
    ['half an escape in a path', () => get(`${rest}/tasks/%zz`, version), 400],
    ['another method', () => get(`${rest}/message:send`, version), 405],
    ['a task that is not there', () => get(`${rest}/tasks/x`, version), 404],
    ['a version that is not ours', () => get(`${rest}/tasks/x`), 400],
    [
      'a body of another type',
      () => post(`${rest}/message:send`, 'x=1', { ...version, 'content-type': 'text/plain' }),
      415,
    ],
    ['a body over 1 MiB', () => post(`${rest}/message:send`, large, version), 413],
  ])('%s', async (_, send, status) => {
    const answer = await send();
    expect(answer.json()).toMatchObject({ error: { code: status, message: expect.any(String) } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/a2a\+json/);
  });
});

describe('any JSON at all', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record({ text: fc.jsonValue(), context_id: fc.jsonValue() }),
    fc.record({ message: messageLike() }),
    fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.integer(), fc.string()),
      method: fc.constantFrom('SendMessage', 'SendStreamingMessage', 'GetTask', 'ListTasks', 'CancelTask', 'toString'),
      params: fc.oneof(
        fc.jsonValue(),
        fc.record({ message: messageLike(), id: fc.jsonValue(), tenant: fc.jsonValue() }),
      ),
    }),
  );

  function messageLike() {
    return fc.record(
      { messageId: fc.jsonValue(), contextId: fc.jsonValue(), role: fc.jsonValue(), parts: fc.jsonValue() },
      { requiredKeys: [] },
    );
  }

  test('is answered, and never as a fault of the agent', async () => {
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom('messages', 'jsonrpc', 'send', 'stream'), async (body, surface) => {
        const urls = {
          messages: agent.urls.messages,
          jsonrpc: jsonRpc,
          send: `${rest}/message:send`,
          stream: `${rest}/message:stream`,
        };
        const answer = await post(urls[surface], body, version);
        expect(answer.status).toBeLessThan(500);
        expect(answer.text).not.toContain('-32603');
      }),
      { numRuns: 300 },
    );
  });
});

describe('plain HTTP', () => {
  test.each<[string, () => Promise<Answer>, number, string]>([
    ['malformed JSON', () => post(agent.urls.messages, '{"text":'), 400, 'malformed_json'],
    ['no text', () => post(agent.urls.messages, {}), 400, 'invalid_message'],
    ['an empty text', () => post(agent.urls.messages, { text: '' }), 400, 'invalid_message'],
    ['a text of blanks, as over A2A', () => post(agent.urls.messages, { text: ' \n' }), 400, 'invalid_message'],
    ['an unknown key', () => post(agent.urls.messages, { text: 'x', contextId: 'y' }), 400, 'invalid_message'],
    ['null', () => post(agent.urls.messages, 'null'), 400, 'invalid_message'],
    ['another method', () => get(agent.urls.messages), 405, 'method_not_allowed'],
    [
      'a body of another type',
      () => post(agent.urls.messages, 'x', { 'content-type': 'text/plain' }),
      415,
      'unsupported_type',
    ],
    ['a body over 1 MiB', () => post(agent.urls.messages, large), 413, 'body_too_large'],
    ['an unknown path', () => get(`${agent.urls.agent}/nothing?x=1`), 404, 'not_found'],
    ['a path like a property', () => get(`${agent.urls.agent}/constructor`), 404, 'not_found'],
    ['the card by another method', () => post(agent.urls.card, {}), 405, 'method_not_allowed'],
  ])('%s', async (_, send, status, error) => {
    const answer = await send();
    expect(answer.json()).toEqual({ error, message: expect.any(String) });
    expect(answer.status).toBe(status);
  });

  test('a method that is not possible is answered with those that are', async () => {
    expect((await get(agent.urls.messages)).headers.get('allow')).toBe('POST');
  });

  test('an unknown key is named', async () => {
    const answer = await post(agent.urls.messages, { text: 'x', contextId: 'y' });
    expect(answer.json()['message']).toContain('contextId');
  });

  test('a body that goes on and on is refused and its connection closed', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) });
    const sent = fetch(agent.urls.messages, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: endless,
      duplex: 'half',
    } as RequestInit);
    const status = await sent.then(
      (response) => response.status,
      () => 'closed',
    );
    expect([413, 'closed']).toContain(status);
  });
});
