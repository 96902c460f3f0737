import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { get } from '../support/http.ts';

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent('server:\n  public_url: https://agent.example.com/\nagent:\n  name: My agent\n');
});
afterAll(() => agent.close());

test('the card names both bindings at the URL that clients know', async () => {
  expect((await get(agent.urls.card)).json()).toMatchObject({
    name: 'My agent',
    supportedInterfaces: [
      { protocolBinding: 'JSONRPC', protocolVersion: '1.0', url: 'https://agent.example.com/a2a/jsonrpc' },
      { protocolBinding: 'HTTP+JSON', protocolVersion: '1.0', url: 'https://agent.example.com/a2a/rest' },
    ],
    capabilities: { streaming: true },
  });
});

test('a cache can ask again by tag or by date, and hears that nothing changed', async () => {
  const { status, headers } = await get(agent.urls.card);
  const etag = headers.get('etag') ?? '';
  const lastModified = headers.get('last-modified') ?? '';
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('public, max-age=300');
  const fields = [
    { 'if-none-match': etag },
    { 'if-none-match': `"other", W/${etag}` },
    { 'if-none-match': '*' },
    { 'if-modified-since': lastModified },
  ] as Record<string, string>[];
  for (const asked of fields) expect((await get(agent.urls.card, asked)).status).toBe(304);
});

test('a cache with another card gets the whole one', async () => {
  const fields = [
    { 'if-none-match': '"other"', 'if-modified-since': new Date(Date.now() + 1_000).toUTCString() },
    { 'if-modified-since': new Date(0).toUTCString() },
    { 'if-modified-since': 'yesterday' },
  ] as Record<string, string>[];
  for (const asked of fields) expect((await get(agent.urls.card, asked)).status).toBe(200);
});

test('HEAD gets the fields without the body', async () => {
  const response = await fetch(agent.urls.card, { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(500);
  expect(await response.text()).toBe('');
});
