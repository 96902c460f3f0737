import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFaultyProvider, type FaultyProvider } from '@sage-adk/llm/testing';
import { parseConfig } from '../../src/config/load.ts';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { eventsIn, get, post } from '../support/http.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** Each kind with the path of its API and a model that a preset knows, or a price of its own. */
const kinds = {
  openai: { path: '/v1', model: 'gpt-5-mini' },
  anthropic: { path: '/v1', model: 'claude-haiku-4-5' },
  google: { path: '/v1beta', model: 'gemini-2.5-flash' },
  openai_compatible: { path: '/v1', model: 'own-model' },
} as const;
type Kind = keyof typeof kinds;

/** US dollars for a million tokens of input and of output. */
const prices = { openai: [0.25, 2], anthropic: [1, 5], google: [0.3, 2.5], openai_compatible: [3, 15] } as const;

const usage = { inputTokens: 1_000, outputTokens: 100 };
const asStream = { accept: 'text/event-stream' };

let server: FaultyProvider;
let agent: TestAgent | undefined;
beforeEach(async () => {
  server = await createFaultyProvider({ text: 'It is noon.', usage });
});
afterEach(async () => {
  await agent?.close();
  agent = undefined;
  await server.close();
});

function yamlOf(kind: Kind, more = ''): string {
  const { path, model } = kinds[kind];
  const price =
    kind === 'openai_compatible' ? `      models:\n        ${model}:\n          price: { input: 3, output: 15 }\n` : '';
  return (
    `llm:\n  provider: main\n  model: ${model}\n  max_output_tokens: 200\n  providers:\n    main:\n      kind: ${kind}\n` +
    `      base_url: ${server.url}${path}\n      api_key: any\n${price}${more}`
  );
}

async function start(kind: Kind, more = ''): Promise<TestAgent> {
  return (agent = await startTestAgent(yamlOf(kind, more)));
}

const say = (headers: Record<string, string> = {}, text = 'What time is it?') =>
  post(agent?.urls.messages ?? '', { text }, headers);
const scraped = async () => (await get(agent?.urls.metrics ?? '')).text;
const sampleOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}(?:\\{[^}]*provider="main"[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);

describe.each(Object.keys(kinds) as Kind[])('a provider of the kind %s', (kind) => {
  test('OM7 OM8 OM10: answers in one piece and as a stream; usage and cost are in the metrics', async () => {
    await start(kind);
    const whole = await say();
    expect(whole.json()).toMatchObject({ text: 'It is noon.', finish_reason: 'stop', usage: { total_tokens: 1_100 } });
    const streamed = eventsIn(await say(asStream));
    const deltas = streamed.filter(({ name }) => name === 'message.delta').map(({ data }) => data['text']);
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join('')).toBe('It is noon.');
    expect(streamed.at(-1)).toMatchObject({ name: 'message.completed', data: { usage: { total_tokens: 1_100 } } });
    const text = await scraped();
    expect(text).toMatch(/^sage_llm_calls_total\{provider="main",[^}]*outcome="ok"\} 2$/m);
    expect(text).toMatch(/^sage_llm_tokens_total\{provider="main",[^}]*="input"\} 2000$/m);
    expect(text).toMatch(/^sage_llm_tokens_total\{provider="main",[^}]*="output"\} 200$/m);
    // The agent reads every answer as a stream, also what it gives in one piece.
    expect(sampleOf(text, 'sage_llm_first_token_seconds_count')).toBe(2);
    expect(sampleOf(text, 'sage_llm_cost_usd_total')).toBeCloseTo(
      (2 * (1_000 * prices[kind][0] + 100 * prices[kind][1])) / 1e6,
      9,
    );
  });

  test('is tried again until its first word, also where it fails within the stream', async () => {
    await start(kind);
    server.next({ status: 503 }, { errorEventAt: { contents: 0 } }, {});
    expect((await say(asStream)).status).toBe(200);
    expect(server.counters.requests).toBe(3);
    expect(await agent?.logged('llm.call')).toMatchObject([{ outcome: 'ok', attempts: 3 }]);
  });

  test('that breaks off after its first word ends the stream with an error, and is not asked again', async () => {
    await start(kind);
    server.next({ cutAfter: { contents: 2 } });
    const events = eventsIn(await say(asStream));
    expect(events.at(-1)).toMatchObject({ name: 'error' });
    expect(server.counters.requests).toBe(1);
    expect(await agent?.logged('llm.call')).toMatchObject([
      { outcome: 'error', code: 'SAGE_LLM_UNREACHABLE', output_tokens: expect.any(Number) },
    ]);
  });

  test('RL5: a limit of money stops at the budget, streams and those that break off included', async () => {
    const [input, output] = prices[kind];
    const budget = (6 * 100 * output) / 1e6;
    await start(kind, `rate_limit:\n  global:\n    max_cost_per_hour: ${budget.toFixed(6)}\n`);
    server.always({ text: 'word '.repeat(100), usage: undefined });
    server.changeWeather([
      { chance: 0.2, behaviour: { errorEventAt: { contents: 0 } } },
      { chance: 0.2, behaviour: { cutAfter: { contents: 50 } } },
    ]);
    const statuses: number[] = [];
    for (let n = 0; n < 16; n++) statuses.push((await say(n % 2 === 0 ? asStream : {})).status);
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
    // What the provider bills, by its own count of tokens.
    const { inputTokens, outputTokens } = server.counters;
    expect((inputTokens * input + outputTokens * output) / 1e6).toBeLessThanOrEqual(budget);
  });

  test('RL10: has a limit of its own, by its name', async () => {
    await start(
      kind,
      'rate_limit:\n  strategy: fixed_window\n  llm_providers:\n    main:\n      requests_per_hour: 2\n',
    );
    const statuses = [(await say()).status, (await say(asStream)).status];
    const denied = await say();
    expect([...statuses, denied.status]).toEqual([200, 200, 429]);
    expect(denied.json()).toMatchObject({ error: 'rate_limit_exceeded', limit: 2, remaining: 0 });
    expect(server.counters.requests).toBe(2);
  });
});

test('RL10: what a provider tells is left lowers its limit', async () => {
  await start('openai', 'rate_limit:\n  llm_providers:\n    main:\n      requests_per_hour: 100\n');
  server.always({ rateLimits: { requests: { limit: 100, remaining: 0, resetMs: 60_000 } } });
  expect((await say()).status).toBe(200);
  for (let n = 0; n < 100 && (await say()).status !== 429; n++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await say()).status).toBe(429);
  expect(server.counters.requests).toBeLessThan(10);
});

test('OH2: readiness asks no provider; it goes by the calls that are made', async () => {
  await start('openai', 'recovery:\n  retry:\n    max_attempts: 1\n  circuit_breaker:\n    enabled: false\n');
  const ready = agent?.urls.health ?? '';
  expect((await get(ready)).status).toBe(200);
  expect(server.counters.requests).toBe(0);
});

test('a provider that keeps failing is left alone for a while', async () => {
  const breaker = '  circuit_breaker:\n    min_calls: 3\n    reset_timeout: 60\n';
  await start('openai', `recovery:\n  retry:\n    max_attempts: 1\n${breaker}`);
  server.always({ status: 503 });
  for (let n = 0; n < 6; n++) await say();
  expect(server.counters.requests).toBe(3);
  expect(await scraped()).toMatch(/breaker.*llm\.main/);
});

describe('the key of a provider', () => {
  test('is read from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
    const file = join(folder, 'key');
    await writeFile(file, 'secret-of-the-file\n');
    agent = await startTestAgent(yamlOf('openai').replace('api_key: any', `api_key_file: ${file}`));
    await say();
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer secret-of-the-file');
    await rm(folder, { recursive: true });
  });

  test('that is nowhere keeps the agent from starting, and says where to put it', async () => {
    const yaml = yamlOf('anthropic').replace('      api_key: any\n', '');
    await expect(startTestAgent(yaml)).rejects.toThrow('Set llm.providers.main.api_key');
  });

  test('one of another provider, and two keys at once, are problems of the file', () => {
    expect(() =>
      parseConfig('llm:\n  provider: opneai\n  providers:\n    openai:\n      kind: openai\n', 'a.yaml'),
    ).toThrow('did you mean openai?');
    expect(() =>
      parseConfig(
        'llm:\n  providers:\n    x:\n      kind: openai\n      api_key: a\n      api_key_file: b\n',
        'a.yaml',
      ),
    ).toThrow('wanted one of api_key and api_key_file');
  });
});
