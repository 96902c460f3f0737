/** What clients are told while a shared store does not answer. */
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { rateLimit } from '../../src/http/fetch.ts';
import { createRateLimiter, type Rule, type StorePolicy } from '../../src/index.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';

describe('while the shared store is away', () => {
  test('a rule that is then closed answers 503, and says when to ask again', async () => {
    const { status, headers, body } = await ask('closed');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_unavailable', retry_after: 1, limit: 5, remaining: 0 });
  });

  test('a rule that is then open lets everything pass', async () => {
    expect((await ask('open')).status).toBe(200);
  });

  test('a rule that is then local goes on, with numbers of this process', async () => {
    const { status, headers } = await ask('local');
    expect([status, headers.get('x-ratelimit-remaining')]).toEqual([200, '4']);
  });

  test('a slot that is then held in this process comes back to it', async () => {
    const slots: Rule = { name: 'all', scope: 'global', unit: 'concurrency', limit: 1 };
    const { send, limiter } = create(slots, true);
    expect([await send(), await send()].map(({ status }) => status)).toEqual([200, 200]);
    await limiter.close();
  });
});

async function ask(onStoreError: StorePolicy) {
  const { send, limiter } = create({ name: 'user', scope: 'user', limit: 5, per: 'minute', onStoreError });
  const answer = await send();
  await limiter.close();
  return answer;
}

function create(rule: Rule, hold = false) {
  const clock = createFakeClock();
  const away = Object.assign(createMemoryStore(), { decide: () => Promise.reject(new Error('away')) });
  const limiter = createRateLimiter({ rules: [rule], store: guardStore(away, { clock }), clock });
  const handler = rateLimit(() => new Response('fine'), { limiter, hold, subjectOf: () => ({ user: 'ada' }) });
  const send = async () => {
    const response = await handler(new Request('http://service.example/'));
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { limiter, send };
}
