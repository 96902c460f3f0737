import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFaultyProvider, type FaultyProvider } from '@sage-adk/llm/testing';
import { type Message, TaskState } from '@a2a-js/sdk';
import { connect, gather, say as saying, textOf as textIn } from './support/a2a.ts';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { eventsIn, get, post } from './support/http.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const asStream = { accept: 'text/event-stream' };
const down = { status: 503 } as const;

let first: FaultyProvider;
let second: FaultyProvider;
let agent: TestAgent | undefined;
beforeEach(async () => {
  first = await createFaultyProvider({ text: 'One answers here.' });
  second = await createFaultyProvider({ text: 'Two answers here.' });
});
afterEach(async () => {
  await agent?.close();
  agent = undefined;
  await first.close();
  await second.close();
});

/** OpenAI's gpt-5-mini first; Claude behind it, where `chain` says nothing else. */
async function start(fallback = '', more = ''): Promise<void> {
  const yaml = `
llm:
  provider: one
  model: gpt-5-mini
  providers:
    one: { kind: openai, base_url: '${first.url}/v1', api_key: any }
    two: { kind: anthropic, base_url: '${second.url}/v1', api_key: any }
recovery:
  retry: { max_attempts: 1 }
  circuit_breaker: { enabled: false }
${fallback}${more}`;
  agent = await startTestAgent(yaml);
}

const chain = (more = '') => `  fallback:
    enabled: true
    llm_chain:
      - { provider: two, model: claude-haiku-4-5, priority: 2 }
      - { provider: one, model: gpt-4.1-mini, priority: 1 }
${more}`;

const say = (headers: Record<string, string> = {}, text = 'What time is it?', context = {}) =>
  post(agent?.urls.messages ?? '', { text, ...context }, headers);
const textOf = (events: ReturnType<typeof eventsIn>) =>
  events.flatMap(({ name, data }) => (name === 'message.delta' ? [data['text']] : [])).join('');
const modelsAsked = (server: FaultyProvider) => server.requests.map(({ model }) => model);
const scraped = async () => (await get(agent?.urls.metrics ?? '')).text;

describe('the fallback chain', () => {
  test('ER5 ER24: the first model, then a second one, then another provider, by priority', async () => {
    await start(chain());
    first.next(down);
    expect((await say()).json()).toMatchObject({
      text: 'One answers here.',
      model: expect.stringContaining('gpt-4.1'),
    });
    first.next(down, down);
    const streamed = eventsIn(await say(asStream));
    expect(textOf(streamed)).toBe('Two answers here.');
    expect(modelsAsked(first)).toEqual(['gpt-5-mini', 'gpt-4.1-mini', 'gpt-5-mini', 'gpt-4.1-mini']);
    expect(modelsAsked(second)).toEqual(['claude-haiku-4-5']);
    expect(await scraped()).toMatch(/^sage_events_total\{event="fallback\.used"\} 2$/m);
    const lines = (await agent?.logged())?.filter(({ event }) => event === 'fallback.used');
    expect(lines).toMatchObject([
      { from: 'one/gpt-5-mini', to: 'one/gpt-4.1-mini' },
      { from: 'one/gpt-5-mini', to: 'two/claude-haiku-4-5' },
    ]);
  });

  test.each([
    ['cost', 'claude-haiku-4-5', 'second'],
    ['quality', 'gpt-5-mini', 'first'],
  ] as const)('ER5: by %s, as the presets know it, %s is asked first', async (order, model, server) => {
    await start(chain(`    order: ${order}\n`));
    expect((await say()).status).toBe(200);
    expect(modelsAsked(server === 'first' ? first : second)).toEqual([model]);
  });

  test('ER5: a stream changes its model silently before the first word, and never after it', async () => {
    await start(chain());
    first.next({ cutAfter: { contents: 0 } }, { errorEventAt: { contents: 0 } });
    expect(textOf(eventsIn(await say(asStream)))).toBe('Two answers here.');
    first.next({ cutAfter: { contents: 2 } });
    const events = eventsIn(await say(asStream));
    expect(textOf(events)).toMatch(/^One/);
    expect(events.at(-1)).toMatchObject({ name: 'error', data: { error: 'answer_cut' } });
    expect(second.requests).toHaveLength(1);
  });

  test('ER5 ER28: an answer that is sent whole goes to the next model wherever it breaks off', async () => {
    await start(chain());
    for (const contents of [0, 1, 2]) {
      first.next({ cutAfter: { contents } }, down);
      expect((await say()).json()).toMatchObject({ text: 'Two answers here.' });
    }
  });

  test('ER5 ER28: with on_cut: restart a stream that breaks off says so, and is begun again by the next model', async () => {
    await start(chain('    on_cut: restart\n'));
    first.next({ cutAfter: { contents: 2 } }, { malformedAt: { contents: 1 } });
    const events = eventsIn(await say(asStream, 'What time is it?', { context_id: 'c1' }));
    const names = events.map(({ name }) => name);
    expect(names.filter((name) => name === 'message.restarted')).toHaveLength(2);
    expect(textOf(events.slice(names.lastIndexOf('message.restarted')))).toBe('Two answers here.');
    expect(events.at(-1)).toMatchObject({ name: 'message.completed', data: { model: 'claude-haiku-4-5' } });
    await say({}, 'And now?', { context_id: 'c1' });
    const { body } = first.requests.at(-1) ?? {};
    expect(JSON.stringify(body)).toMatch(/What time is it\?.*"Two answers here\."/);
  });

  test('ER5 ER28: with nobody else left, the model whose answer broke off is asked once more, and then no other words follow a half', async () => {
    await start(chain());
    first.next({ cutAfter: { contents: 2 } }, down);
    second.next(down);
    expect((await say()).json()).toMatchObject({ text: 'One answers here.' });
    first.next({ cutAfter: { contents: 2 } }, down, { cutAfter: { contents: 1 } });
    second.next(down);
    const failed = await say();
    expect([failed.status, failed.json()]).toMatchObject([502, { error: 'model_failed' }]);
    await agent?.close();
    await start(chain('    on_cut: restart\n    default_message: Ask again, please.\n'));
    first.next({ cutAfter: { contents: 2 } }, down, { cutAfter: { contents: 1 } });
    second.next(down);
    const events = eventsIn(await say(asStream));
    const last = events.findLastIndex(({ name }) => name === 'message.restarted');
    expect(textOf(events.slice(last))).toBe('Ask again, please.');
    expect(events.at(-1)?.data).toMatchObject({ model: 'fallback/static', degraded: true });
  });

  test('ER5: a limit of one provider sends to the next; a limit of the user is told to the user', async () => {
    await start(
      chain(),
      'rate_limit:\n  strategy: fixed_window\n  llm_providers:\n    one:\n      requests_per_hour: 1\n',
    );
    expect((await say()).json()).toMatchObject({ text: 'One answers here.' });
    expect((await say()).json()).toMatchObject({ text: 'Two answers here.' });
    await agent?.close();
    await start(chain(), 'rate_limit:\n  per_user:\n    tokens_per_hour: 4200\n');
    const answers = [await say(), await say({}, 'x '.repeat(8_000))];
    expect(answers.map(({ status }) => status)).toEqual([200, 422]);
    expect(await scraped()).not.toMatch(/event="error\.critical"\} [1-9]/);
  });
});

describe('answers without a model', () => {
  const tiers = chain(`    cached_responses: true
    patterns:
      - { pattern: 'opening hours?', answer: 'We are open from 9 to 5.' }
    default_message: I cannot answer right now. Please try again in a minute.
`);

  test('ER8 ER9: an earlier answer, a pattern, the default message, in this order, each told as degraded', async () => {
    await start(tiers);
    expect((await say()).json()).toMatchObject({ text: 'One answers here.' });
    first.always(down);
    second.always(down);
    expect((await say()).json()).toMatchObject({ text: 'One answers here.', model: 'fallback/cached', degraded: true });
    expect((await say({}, 'Your Opening Hour?')).json()).toMatchObject({
      text: 'We are open from 9 to 5.',
      model: 'fallback/pattern',
      degraded: true,
    });
    const last = eventsIn(await say(asStream, 'Something else.'));
    expect(textOf(last)).toMatch(/^I cannot answer right now/);
    expect(last.at(-1)?.data).toMatchObject({ model: 'fallback/static', degraded: true });
  });

  test.each(['JSONRPC', 'HTTP+JSON'] as const)(
    'ER5 ER9: a client of A2A over %s is told who answered, and its task holds an answer that began again once',
    async (binding) => {
      await start(`${tiers}    on_cut: restart\n`);
      const client = await connect(agent?.urls.agent ?? '', binding);
      const told = async () => ((await client.sendMessage(saying('Who?'))) as Message).metadata;
      expect(await told()).toEqual({ model: expect.stringContaining('gpt-5-mini') });
      first.next({ cutAfter: { contents: 2 } }, down);
      const { pieces, state, task } = await gather(client.sendMessageStream(saying('Twice?')));
      expect(pieces.join('')).toMatch(/^One .*Two answers here\.$/);
      expect(state).toBe(TaskState.TASK_STATE_COMPLETED);
      const kept = await client.getTask({ tenant: '', id: task?.id ?? '' });
      expect(textIn(kept.artifacts[0]?.parts)).toBe('Two answers here.');
      expect(kept.metadata).toEqual({ model: 'claude-haiku-4-5' });
      first.always(down);
      second.always(down);
      expect(await told()).toEqual({ model: 'fallback/cached', degraded: true });
      const { task: last } = await gather(client.sendMessageStream(saying('Nobody?')));
      const degraded = await client.getTask({ tenant: '', id: last?.id ?? '' });
      expect(degraded.metadata).toEqual({ model: 'fallback/static', degraded: true });
    },
  );

  test('ER18: where no model answers, that is an alert in metrics and log, and the answer falls back', async () => {
    await start(tiers);
    first.always(down);
    second.always(down);
    expect((await say()).status).toBe(200);
    expect(await scraped()).toMatch(/^sage_events_total\{event="error\.critical"\} 1$/m);
    const alerts = (await agent?.logged())?.filter(({ event }) => event === 'error.critical');
    expect(alerts).toMatchObject([{ level: 'ERROR', reason: 'provider_down' }]);
  });
});

describe('ER23: what a user is told', () => {
  test.each([
    [{ status: 503 }, 503, 'model_busy', 'The model has too much to do right now. Try again in a moment.'],
    [{ error: 'rate_limit', retryAfterMs: 3_000 }, 503, 'model_busy', 'Try again in a moment.'],
    [{ error: 'authentication' }, 502, 'model_not_set_up', 'Tell whoever runs it.'],
    [{ error: 'context_length' }, 413, 'too_long', 'Begin a new one, or send a shorter message.'],
    [{ hangUp: true }, 502, 'model_failed', 'Try again later.'],
  ] as const)('of %j', async (behaviour, status, error, words) => {
    await start();
    first.always(behaviour);
    const answer = await say();
    expect([answer.status, answer.json()]).toEqual([status, { error, message: expect.stringContaining(words) }]);
    if ('retryAfterMs' in behaviour) expect(answer.headers.get('retry-after')).toBe('3');
    // Nothing of the provider, its address or its key.
    expect(answer.text).not.toMatch(/127\.0\.0\.1|openai|api_key|gpt/i);
  });

  test('of a provider that rests', async () => {
    const breaker = 'circuit_breaker: { min_calls: 2, reset_timeout: 60 }';
    agent = await startTestAgent(
      `llm:\n  provider: one\n  model: m\n  providers:\n    one: { kind: openai, base_url: '${first.url}/v1', api_key: any }\n` +
        `recovery:\n  retry: { max_attempts: 1 }\n  ${breaker}\n`,
    );
    first.always(down);
    for (let n = 0; n < 2; n++) await say();
    expect((await say()).json()).toEqual({
      error: 'model_rests',
      message: 'The model had trouble and is given a rest. Try again in a minute.',
    });
  });
});

describe('dead letters', () => {
  const dlq = (more = '') =>
    `  dlq:\n    enabled: true\n    auto_retry: true\n    retry_interval: 0.2\n    max_redrives: 100\n${more}`;

  test('ER12 ER24: a message that failed is kept, and answered into its conversation when the model is back', async () => {
    await start(dlq());
    const context = { context_id: 'c1' };
    /** The next message of the conversation sends along what was said in it. */
    const kept = async () => {
      await say({}, 'Who am I?', context);
      return JSON.stringify(first.requests.filter(({ status }) => status === 200).map(({ body }) => body));
    };
    first.always(down);
    expect((await say({}, 'My name is Ada.', context)).status).toBe(503);
    expect(await scraped()).toMatch(/operation="dlq\.put",outcome="ok"\S* /);
    expect(await scraped()).toMatch(/^sage_dlq_letters\{queue="messages",state="parked"\} 0$/m);
    expect(await scraped()).toMatch(/^sage_dlq_oldest_age_seconds\{queue="messages"\} \d/m);
    first.always({ status: undefined });
    while (!/My name is Ada\..*One answers here\./.test(await kept())) await new Promise((go) => setTimeout(go, 20));
    expect((await agent?.logged('llm.call'))?.length).toBeGreaterThan(1);
  });

  test('ER12: what a limit refused, or nobody waits for, is no dead letter', async () => {
    await start(
      dlq(),
      'rate_limit:\n  strategy: fixed_window\n  llm_providers:\n    one:\n      requests_per_hour: 1\n',
    );
    expect([(await say()).status, (await say()).status]).toEqual([200, 429]);
    expect(await scraped()).not.toMatch(/operation="dlq\.put"/);
  });
});
