import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createScriptedLlm } from '@sage-adk/core/testing';
import { connect, gather, say } from '../support/a2a.ts';
import { as, describeStorages, keyYaml } from '../support/fleet.ts';
import { type Answer, eventsIn, post } from '../support/http.ts';

const keys = `server:\n  api_keys:\n${keyYaml('ada')}${keyYaml('bob')}`;

function limits(text: string): string {
  return `rate_limit:\n  strategy: sliding_window\n${text}`;
}

/** A model whose calls use ten tokens, as it tells at the end of each. */
function tenTokens() {
  return createScriptedLlm({ rules: [{ answer: { text: 'ok', usage: { inputTokens: 7, outputTokens: 3 } } }] });
}

function statuses(answers: readonly Answer[]): readonly number[] {
  return answers.map(({ status }) => status);
}

async function inTurn<T>(count: number, send: () => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let n = 0; n < count; n++) answers.push(await send());
  return answers;
}

function a2a(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const message = { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text: 'x' }] };
  const body = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } };
  return post(`${url}/a2a/jsonrpc`, body, { 'a2a-version': '1.0', ...headers });
}

describeStorages('limits', (start) => {
  test('RL7: all users together have the global one', async () => {
    await using fleet = await start(`${keys}${limits('  global:\n    requests_per_hour: 3\n')}`);
    const users = [as('ada'), as('bob'), as('ada'), as('bob'), as('ada')];
    expect(statuses(await inTurn(5, () => fleet.say('x', users.shift())))).toEqual([200, 200, 200, 429, 429]);
  });

  test('RL8: each user has one of their own, on all agents together', async () => {
    await using fleet = await start(`${keys}${limits('  per_user:\n    requests_per_hour: 2\n')}`);
    expect(statuses(await inTurn(3, () => fleet.say('x', as('ada'))))).toEqual([200, 200, 429]);
    expect(statuses(await inTurn(3, () => fleet.say('x', as('bob'))))).toEqual([200, 200, 429]);
  });

  test('RL9: each endpoint has one of its own, A2A on either binding', async () => {
    await using fleet = await start(
      limits('  per_endpoint:\n    messages:\n      requests_per_hour: 2\n    a2a:\n      requests_per_hour: 1\n'),
    );
    const { url } = { url: fleet.agents[0].urls.agent };
    expect(statuses(await inTurn(3, () => fleet.say('x')))).toEqual([200, 200, 429]);
    expect(statuses(await inTurn(2, () => a2a(url)))).toEqual([200, 429]);
    expect((await post(`${url}/a2a/rest/message:send`, {}, { 'a2a-version': '1.0' })).status).toBe(429);
  });

  test('RL11: a user has the limits of the tier of their key', async () => {
    const tiers = '  per_user:\n    requests_per_hour: 1\n  tiers:\n    gold:\n      requests_per_hour: 3\n';
    await using fleet = await start(
      `server:\n  api_keys:\n${keyYaml('ada', '      tier: gold\n')}${keyYaml('bob')}${limits(tiers)}`,
    );
    expect(statuses(await inTurn(4, () => fleet.say('x', as('ada'))))).toEqual([200, 200, 200, 429]);
    expect(statuses(await inTurn(2, () => fleet.say('x', as('bob'))))).toEqual([200, 429]);
  });

  test('RL12: a token bucket admits its burst at once, and refills by its rate', async () => {
    const limit = '  strategy: token_bucket\n  global:\n    requests_per_hour: 36000\n    burst: 2\n';
    await using fleet = await start(`rate_limit:\n${limit}`);
    const answers = await inTurn(2, () => fleet.say('x'));
    expect(statuses(answers)).toEqual([200, 200]);
    // A token every tenth of a second: a machine that is busy may have seen one come back.
    expect(answers[1]?.headers.get('x-ratelimit-remaining')).toMatch(/^[01]$/);
    await untilOk(() => fleet.say('x'));
  });

  test.each([
    ['RL12', 'token_bucket', [200, 200, 429]],
    ['RL13', 'fixed_window', [200, 200, 429]],
    ['RL14', 'sliding_window', [200, 200, 429]],
    ['RL15', 'leaky_bucket', [200, 429, 429]],
  ])('%s: strategy %s', async (_, strategy, expected) => {
    await using fleet = await start(`rate_limit:\n  strategy: ${strategy}\n  global:\n    requests_per_day: 2\n`);
    expect(statuses(await inTurn(3, () => fleet.say('x')))).toEqual(expected);
  });

  test('RL2 RL20: tokens are those of the final usage event, streamed or not; the denial tells what is left', async () => {
    await using fleet = await start(`${keys}${limits('  per_user:\n    tokens_per_hour: 45\n')}`, {
      provider: tenTokens(),
    });
    const stream = { ...as('ada'), accept: 'text/event-stream' };
    const streamed = await fleet.say('x', stream);
    expect(eventsIn(streamed).at(-1)?.data).toMatchObject({ usage: { total_tokens: 10 } });
    expect(statuses(await inTurn(2, () => fleet.say('x', as('ada'))))).toEqual([200, 200]);
    expect((await fleet.say('x', stream)).status).toBe(200);
    // Before its first event a stream is denied as anything else is.
    for (const headers of [as('ada'), stream]) {
      const denied = await fleet.say('x', headers);
      expect(denied.status).toBe(429);
      const body = denied.json();
      expect(Object.keys(body)).toEqual(['error', 'message', 'retry_after', 'limit', 'remaining', 'reset']);
      expect(body).toMatchObject({ error: 'rate_limit_exceeded', limit: 45, remaining: 5 });
      expect(denied.headers.get('x-ratelimit-limit')).toBe('45');
      expect(denied.headers.get('x-ratelimit-remaining')).toBe('5');
      expect(denied.headers.get('retry-after')).toBe(String(body['retry_after']));
      expect(denied.headers.get('x-ratelimit-reset')).toBe(String(body['reset']));
    }
    expect((await fleet.say('x', as('bob'))).status).toBe(200);
  });

  test('RL2: tokens of everybody and of an endpoint', async () => {
    const text = '  global:\n    tokens_per_day: 35\n  per_endpoint:\n    a2a:\n      tokens_per_day: 25\n';
    await using fleet = await start(limits(text), { provider: tenTokens() });
    const [{ urls }] = fleet.agents;
    expect(statuses(await inTurn(3, () => a2a(urls.agent)))).toEqual([200, 200, 429]);
    expect(statuses(await inTurn(2, () => fleet.say('x')))).toEqual([200, 429]);
  });

  test('RL2: what no limit can ever admit is told so', async () => {
    await using fleet = await start(limits('  global:\n    tokens_per_hour: 20\n'));
    const never = await fleet.say('many words '.repeat(50));
    expect(never.status).toBe(422);
    expect(never.json()).toMatchObject({ error: 'rate_limit_never_allowed', limit: 20 });
    expect(never.headers.get('retry-after')).toBeNull();
    expect((await fleet.say('x')).status).toBe(200);
  });

  test('RL5: money is spent up to the limit and no further', async () => {
    const price = 'llm:\n  price:\n    input: 1000\n    output: 1000\n';
    await using fleet = await start(`${price}${limits('  per_user:\n    max_cost_per_hour: 0.045\n')}`, {
      provider: tenTokens(),
    });
    const answers = await inTurn(6, () => fleet.say('x'));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(answers.at(-1)?.json()).toMatchObject({ limit: 45_000_000, remaining: 5_000_000 });
  });

  test('RL5: many calls at once never spend more than the limit, whichever agent they reach', async () => {
    const price = 'llm:\n  price:\n    input: 1000\n    output: 1000\n  max_output_tokens: 20\n';
    await using fleet = await start(`${price}${limits('  global:\n    max_cost_per_hour: 0.125\n')}`, {
      provider: tenTokens(),
    });
    const rounds = await inTurn(6, () => Promise.all(Array.from({ length: 10 }, () => fleet.say('x'))));
    const answers = rounds.flat();
    expect(new Set(statuses(answers))).toEqual(new Set([200, 429]));
    // Each costs a cent; what was set aside came back, so that nearly all of the limit could be spent.
    const spent = answers.filter(({ status }) => status === 200).length;
    expect(spent).toBeLessThanOrEqual(12);
    expect(spent).toBeGreaterThanOrEqual(11);
  });

  test('RL10: each model provider has one of its own', async () => {
    const text =
      '  llm_providers:\n    scripted:\n      requests_per_hour: 2\n    openai:\n      requests_per_hour: 1\n';
    await using fleet = await start(limits(text), { provider: tenTokens() });
    expect(statuses(await inTurn(3, () => fleet.say('x')))).toEqual([200, 200, 429]);
  });

  test('RL3: a user has so many streams at once; one that is left, or over, makes room for the next', async () => {
    const model = createScriptedLlm();
    await using fleet = await start(`${keys}${limits('  per_user:\n    max_concurrent: 1\n')}`, { provider: model });
    const [first] = fleet.agents;
    model.stallAfter(1);
    const client = new AbortController();
    const response = await fetch(first.urls.messages, {
      method: 'POST',
      headers: { ...as('ada'), 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"text":"a story"}',
      signal: client.signal,
    });
    const denied = await inTurn(2, () => fleet.say('x', as('ada')));
    expect(statuses(denied)).toEqual([429, 429]);
    expect(denied[0]?.json()).toMatchObject({ error: 'rate_limit_exceeded', limit: 1, remaining: 0 });
    expect((await fleet.say('x', as('bob'))).status).toBe(200);
    client.abort();
    await expect(response.text()).rejects.toThrow();
    await untilOk(() => fleet.say('x', as('ada')));
    await untilOk(() => fleet.say('x', as('ada')));
  });

  test('RL4: all together run so many at once, and a task of A2A counts until it is done', async () => {
    const model = createScriptedLlm();
    await using fleet = await start(limits('  global:\n    max_concurrent: 2\n'), { provider: model });
    const [{ urls }] = fleet.agents;
    const client = await connect(urls.agent, 'JSONRPC');
    model.stallAfter(0, 2);
    const asked = say('first');
    const started = await client.sendMessage({
      ...asked,
      configuration: {
        acceptedOutputModes: [],
        taskPushNotificationConfig: undefined,
        returnImmediately: true,
        historyLength: undefined,
      },
    });
    expect(started).toHaveProperty('id');
    const leaving = new AbortController();
    const second = fetch(urls.messages, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"second"}',
      signal: leaving.signal,
    });
    await until(() => model.calls === 2);
    expect((await fleet.say('x')).status).toBe(429);
    leaving.abort();
    await expect(second).rejects.toThrow();
    await untilOk(() => fleet.say('x'));
  });

  test('RL2: a task of A2A that a limit refuses is rejected, a plain message is answered by the limit', async () => {
    await using fleet = await start(limits('  global:\n    tokens_per_hour: 25\n'), { provider: tenTokens() });
    const [{ urls }] = fleet.agents;
    expect(statuses(await inTurn(3, () => fleet.say('x')))).toEqual([200, 200, 429]);
    const message = { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text: 'x' }] };
    const rest = await post(`${urls.agent}/a2a/rest/message:send`, { message }, { 'a2a-version': '1.0' });
    for (const denied of [await a2a(urls.agent), rest]) {
      expect(denied.status).toBe(429);
      expect(denied.json()).toMatchObject({ error: 'rate_limit_exceeded', limit: 25, remaining: 5 });
      expect(Number(denied.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const binding of ['JSONRPC', 'HTTP+JSON'] as const) {
      const client = await connect(urls.agent, binding);
      const { state, kinds } = await gather(client.sendMessageStream(say('x')));
      // 7 is TASK_STATE_REJECTED.
      expect([kinds, state]).toEqual([['task', 'statusUpdate'], 7]);
    }
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What a client that left held comes back a moment later. */
async function untilOk(send: () => Promise<Answer>): Promise<void> {
  for (;;) {
    const { status } = await send();
    if (status === 200) return;
    expect(status).toBe(429);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
