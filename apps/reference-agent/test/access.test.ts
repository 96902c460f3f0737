import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sources } from '@sage-adk/core';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { type Answer, get, post } from './support/http.ts';

type Headers = Record<string, string>;

/** One cheap request on each surface. */
const surfaces: readonly [string, (agent: TestAgent, headers?: Headers) => Promise<Answer>][] = [
  ['/v1/messages', ({ urls }, headers) => post(urls.messages, { text: 'x' }, headers)],
  [
    'JSON-RPC',
    ({ urls }, headers) =>
      post(
        `${urls.agent}/a2a/jsonrpc`,
        { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message: message() } },
        { 'a2a-version': '1.0', ...headers },
      ),
  ],
  [
    'REST',
    ({ urls }, headers) =>
      post(`${urls.agent}/a2a/rest/message:send`, { message: message() }, { 'a2a-version': '1.0', ...headers }),
  ],
];

/** Messages of all agents of this process that wait for a worker. */
function waiting(): number {
  const pools = sources().filter(({ name }) => name === 'pool.messages');
  return pools.reduce((sum, pool) => sum + (pool.read()['waiting'] ?? 0), 0);
}

function message() {
  return { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text: 'x' }] };
}

describe.each(surfaces)('limits on %s', (_, send) => {
  let agent: TestAgent;
  beforeEach(async () => {
    agent = await startTestAgent('rate_limit:\n  per_user:\n    requests_per_minute: 10\n');
  });
  afterEach(() => agent.close());

  test('RL19 RL20: the 11th quick request of a user limited to 10 a minute gets the 429, its headers and its body', async () => {
    for (let count = 1; count <= 10; count++) {
      const { status, headers } = await send(agent);
      expect(status).toBe(200);
      expect(headers.get('x-ratelimit-limit')).toBe('10');
      expect(headers.get('x-ratelimit-remaining')).toBe(String(10 - count));
      expect(headers.get('retry-after')).toBeNull();
    }
    const denied = await send(agent);
    expect(denied.status).toBe(429);
    expect(denied.headers.get('content-type')).toMatch(/^application\/json/);
    const body = denied.json();
    expect(Object.keys(body)).toEqual(['error', 'message', 'retry_after', 'limit', 'remaining', 'reset']);
    expect(body).toMatchObject({ error: 'rate_limit_exceeded', limit: 10, remaining: 0 });
    expect(body['message']).toMatch(/^Rate limit exceeded\. Try again in \d+ seconds?\.$/);
    expect(denied.headers.get('x-ratelimit-limit')).toBe('10');
    expect(denied.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(denied.headers.get('x-ratelimit-reset')).toBe(String(body['reset']));
    expect(denied.headers.get('retry-after')).toBe(String(body['retry_after']));
    const requests = await agent.logged('agent.request');
    expect(requests.at(-1)).toMatchObject({ status: 429, outcome: 'denied' });
  });
});

describe('API keys', () => {
  const keys = ['ada-secret', 'ada-next-secret', 'bob-secret'];
  const entries = keys.map((key) => {
    const sha256 = createHash('sha256').update(key).digest('hex');
    return `    - id: ${key.split('-')[0]}\n      sha256: ${sha256}\n`;
  });
  let agent: TestAgent;
  beforeAll(async () => {
    const limit = 'rate_limit:\n  per_user:\n    requests_per_minute: 3\n';
    agent = await startTestAgent(`server:\n  api_keys:\n${entries.join('')}${limit}`);
  });
  afterAll(() => agent.close());

  test.each(surfaces)('RL8: %s needs a key that is ours', async (_, send) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': 'wrong' }] as Headers[]) {
      const answer = await send(agent, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.json()['error']).toBe('unauthorized');
    }
  });

  test('RL8: users are told apart by their key; two keys of one user share its limit', async () => {
    const send = (headers: Headers) => post(agent.urls.messages, { text: 'x' }, headers);
    const ada = [
      { authorization: 'Bearer ada-secret' },
      { 'x-api-key': 'ada-next-secret' },
      { 'x-api-key': 'ada-secret' },
    ];
    for (const headers of ada as Headers[]) expect((await send(headers)).status).toBe(200);
    expect((await send({ authorization: 'bearer ada-secret' })).status).toBe(429);
    expect((await send({ authorization: 'Bearer bob-secret' })).status).toBe(200);
    const requests = await agent.logged('agent.request');
    expect(requests.at(-1)).toMatchObject({ user_id: 'bob' });
  });

  test('the card needs no key, and says that the rest does', async () => {
    const card = await get(agent.urls.card);
    expect(card.status).toBe(200);
    expect(Object.keys(card.json<{ securitySchemes: object }>().securitySchemes)).toEqual(['bearer', 'apiKey']);
  });

  test('a refused key is logged as a violation, without the key', async () => {
    await post(agent.urls.messages, { text: 'x' }, { 'x-api-key': 'guessed-secret' });
    const lines = await agent.logged();
    expect(lines.some((line) => line['event'] === 'security.violation' && line['reason'] === 'unknown_key')).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('guessed-secret');
  });
});

describe('workers', () => {
  let model: ScriptedLlm;
  let agent: TestAgent;
  beforeAll(async () => {
    model = createScriptedLlm();
    agent = await startTestAgent('performance:\n  concurrency:\n    worker_pool_size: 1\n    queue_size: 1\n', {
      provider: model,
    });
  });
  afterAll(() => agent.close());

  test.each(surfaces)(
    'PF9: with one worker busy and one message waiting, %s says 503 and when to come back',
    async (_, send) => {
      model.stallAfter(0, 2);
      const headers = { 'x-request-timeout-ms': '2500' };
      const before = model.calls;
      const busy = [send(agent, headers), send(agent, headers)];
      while (model.calls === before || waiting() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const refused = await send(agent);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.json()).toEqual({ error: 'queue_full', message: expect.stringContaining('Try again') });
      await Promise.all(busy);
      model.heal();
    },
  );
});
