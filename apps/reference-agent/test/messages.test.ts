import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { eventsIn, post } from './support/http.ts';

describe('POST /v1/messages', () => {
  let agent: TestAgent;
  beforeAll(async () => {
    agent = await startTestAgent();
  });
  afterAll(() => agent.close());

  test('answers a text with a text, its conversation and its usage', async () => {
    const answer = await post(agent.urls.messages, { text: 'one two' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.json()).toEqual({
      id: expect.any(String),
      context_id: expect.any(String),
      text: 'You said: one two',
      model: 'local-scripted',
      finish_reason: 'stop',
      usage: { input_tokens: 2, output_tokens: 4, total_tokens: 6 },
    });
  });

  test('streams the same answer as events where the client accepts them', async () => {
    const answer = await post(agent.urls.messages, { text: 'one two' }, { accept: 'text/event-stream' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsIn(answer);
    expect(events.map(({ name }) => name)).toEqual([
      'message.started',
      ...Array.from({ length: 4 }, () => 'message.delta'),
      'message.completed',
    ]);
    expect(events.map(({ data }) => (data['text'] ?? '') as string).join('')).toBe('You said: one two');
    expect(events.at(-1)?.data).toMatchObject({ id: events[0]?.data['id'], usage: { total_tokens: 6 } });
  });

  test('a second message can refer to the first of its conversation', async () => {
    const first = await post(agent.urls.messages, { text: 'My name is Grace.' });
    const context_id = first.json()['context_id'];
    const second = await post(agent.urls.messages, { text: 'What did I say before?', context_id });
    const third = await post(
      agent.urls.messages,
      { text: "What's my name?", context_id },
      { accept: 'text/event-stream' },
    );
    expect(second.json()['text']).toBe('Before that you said: My name is Grace.');
    expect(third.text).toContain('Grace');
  });

  test('what a very long message said is known to the next one', async () => {
    const first = await post(agent.urls.messages, { text: `My name is Grace. ${'x'.repeat(20_000)}` });
    const second = await post(agent.urls.messages, { text: "What's my name?", context_id: first.json()['context_id'] });
    expect(second.json()['text']).toContain('Grace');
  });

  test('a request id is taken over from the client, or made', async () => {
    const given = await post(agent.urls.messages, { text: 'x' }, { 'x-request-id': 'mine-1' });
    const made = await post(agent.urls.messages, { text: 'x' });
    expect(given.headers.get('x-request-id')).toBe('mine-1');
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('when the model fails', () => {
  let model: ScriptedLlm;
  let agent: TestAgent;
  beforeAll(async () => {
    model = createScriptedLlm({ name: 'flaky' });
    agent = await startTestAgent('recovery:\n  retry:\n    jitter: false\n', { provider: model });
  });
  afterEach(() => model.heal());
  afterAll(() => agent.close());

  test('a transient failure before the first token is tried again, and nobody notices', async () => {
    model.failNext(Object.assign(new Error('overloaded'), { status: 503, headers: { 'retry-after-ms': '1' } }));
    const answer = await post(agent.urls.messages, { text: 'again' });
    expect(answer.json()['text']).toBe('again');
    const calls = await agent.logged('llm.call');
    expect(calls.at(-1)).toMatchObject({ outcome: 'ok', attempts: 2 });
  });

  test('a permanent failure is not, and is answered without its details', async () => {
    model.failNext(Object.assign(new Error('bad key sk-123'), { status: 401 }));
    const callsBefore = model.calls;
    const answer = await post(agent.urls.messages, { text: 'no' });
    expect(answer.status).toBe(502);
    expect(answer.json()).toEqual({
      error: 'model_not_set_up',
      message: expect.stringContaining('Tell whoever runs it.'),
    });
    expect(model.calls - callsBefore).toBe(1);
  });

  test('a stream that is cut after its first token ends with an error event, not with half an answer', async () => {
    model.cutAfter(2);
    const answer = await post(agent.urls.messages, { text: 'one two three' }, { accept: 'text/event-stream' });
    const events = eventsIn(answer);
    expect(events.map(({ name }) => name)).toEqual(['message.started', 'message.delta', 'message.delta', 'error']);
    expect(events.at(-1)?.data['error']).toBe('model_failed');
  });

  test('PF10: a request that takes longer than its sender waits is ended, with 504', async () => {
    model.stallAfter(0);
    const answer = await post(agent.urls.messages, { text: 'slow' }, { 'x-request-timeout-ms': '30' });
    expect(answer.status).toBe(504);
    expect(answer.json()['error']).toBe('deadline');
  });

  test('PF10: the call of the model is ended when the client goes away', async () => {
    model.stallAfter(1);
    const away = new AbortController();
    const response = await fetch(agent.urls.messages, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"text":"never to end"}',
      signal: away.signal,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    const before = (await agent.logged('llm.call')).length;
    away.abort();
    await reader?.closed.catch(() => {});
    let calls = await agent.logged('llm.call');
    for (let tries = 0; calls.length === before && tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      calls = await agent.logged('llm.call');
    }
    expect(calls.at(-1)).toMatchObject({ outcome: 'cancelled' });
  });
});
