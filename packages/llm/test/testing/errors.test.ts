/** What the real clients make of errors that come instead of an answer. */
import Anthropic from '@anthropic-ai/sdk';
import { ApiError } from '@google/genai';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseRateLimitHeaders, parseRetryAfter } from '@sage-adk/core';
import { type Behaviour, createFaultyProvider, type ErrorName, errorNames } from '../../src/testing/index.ts';
import { APICallError } from 'ai';
import OpenAI from 'openai';
import { clientsOf } from './support/clients.ts';

const provider = await createFaultyProvider();
const clients = clientsOf(provider.url);
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const openai = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'any', maxRetries: 0, logLevel: 'off' });
const anthropic = new Anthropic({ baseURL: provider.url, apiKey: 'any', maxRetries: 0, logLevel: 'off' });
const say = [{ role: 'user' as const, content: 'hi' }];
const askOpenai = () => failureOf(openai.chat.completions.create({ model: 'gpt-4.1', messages: say }));
const askAnthropic = () => failureOf(anthropic.messages.create({ model: 'claude', max_tokens: 9, messages: say }));

type ErrorClass = abstract new (...args: never[]) => Error;

/** Status, class, `code` and `type` as OpenAI's client sees them. */
const openaiSees: Readonly<Record<ErrorName, readonly [number, ErrorClass, string | null, string?]>> = {
  invalid_request: [400, OpenAI.BadRequestError, null, 'invalid_request_error'],
  authentication: [401, OpenAI.AuthenticationError, 'invalid_api_key'],
  quota: [429, OpenAI.RateLimitError, 'insufficient_quota', 'insufficient_quota'],
  permission: [403, OpenAI.PermissionDeniedError, 'unsupported_country_region_territory'],
  not_found: [404, OpenAI.NotFoundError, 'model_not_found'],
  timeout: [408, OpenAI.APIError, null, 'timeout'],
  conflict: [409, OpenAI.ConflictError, 'conflict'],
  too_large: [413, OpenAI.APIError, 'request_too_large'],
  context_length: [400, OpenAI.BadRequestError, 'context_length_exceeded', 'invalid_request_error'],
  content_policy: [400, OpenAI.BadRequestError, 'content_policy_violation'],
  rate_limit: [429, OpenAI.RateLimitError, 'rate_limit_exceeded', 'requests'],
  server_error: [500, OpenAI.InternalServerError, null, 'server_error'],
  unavailable: [503, OpenAI.InternalServerError, null, 'server_error'],
  overloaded: [503, OpenAI.InternalServerError, 'server_is_overloaded'],
  bad_gateway: [502, OpenAI.InternalServerError, null],
  gateway_timeout: [504, OpenAI.InternalServerError, null],
};

test.each(errorNames)('openai sees %s as what it is', async (name) => {
  provider.next({ error: name });
  const error = await askOpenai();
  const [status, kind, code, type] = openaiSees[name];
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ status, ...(!/gateway/.test(name) && { code }), ...(type !== undefined && { type }) });
  expect(provider.counters).toMatchObject({ requests: 1, refused: 1, inputTokens: 0 });
});

const anthropicSees: Readonly<Record<ErrorName, readonly [number, ErrorClass, string?, RegExp?]>> = {
  invalid_request: [400, Anthropic.BadRequestError, 'invalid_request_error'],
  authentication: [401, Anthropic.AuthenticationError, 'authentication_error'],
  quota: [400, Anthropic.BadRequestError, 'invalid_request_error', /credit balance is too low/],
  permission: [403, Anthropic.PermissionDeniedError, 'permission_error'],
  not_found: [404, Anthropic.NotFoundError, 'not_found_error', /claude/],
  timeout: [408, Anthropic.APIError, 'timeout_error'],
  conflict: [409, Anthropic.ConflictError, 'invalid_request_error'],
  too_large: [413, Anthropic.APIError, 'request_too_large'],
  context_length: [400, Anthropic.BadRequestError, 'invalid_request_error', /prompt is too long/],
  content_policy: [400, Anthropic.BadRequestError, 'invalid_request_error', /content filtering policy/],
  rate_limit: [429, Anthropic.RateLimitError, 'rate_limit_error'],
  server_error: [500, Anthropic.InternalServerError, 'api_error'],
  unavailable: [503, Anthropic.InternalServerError, 'api_error'],
  overloaded: [529, Anthropic.InternalServerError, 'overloaded_error'],
  bad_gateway: [502, Anthropic.InternalServerError],
  gateway_timeout: [504, Anthropic.InternalServerError],
};

test.each(errorNames)('anthropic sees %s as what it is', async (name) => {
  provider.next({ error: name });
  const error = await askAnthropic();
  const [status, kind, type, message = /./] = anthropicSees[name];
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ status, requestID: 'req_000001', ...(type !== undefined && { type }) });
  expect(String(error)).toMatch(message);
});

const geminiSees: Readonly<Record<Exclude<ErrorName, 'content_policy'>, readonly [number, string]>> = {
  invalid_request: [400, 'INVALID_ARGUMENT'],
  authentication: [400, 'API_KEY_INVALID'],
  quota: [429, 'PerDay'],
  permission: [403, 'PERMISSION_DENIED'],
  not_found: [404, 'NOT_FOUND'],
  timeout: [408, 'CANCELLED'],
  conflict: [409, 'ABORTED'],
  too_large: [413, 'INVALID_ARGUMENT'],
  context_length: [400, 'exceeds the maximum number of tokens'],
  rate_limit: [429, 'PerMinute'],
  server_error: [500, 'INTERNAL'],
  unavailable: [503, 'UNAVAILABLE'],
  overloaded: [503, 'The model is overloaded'],
  bad_gateway: [502, '<html>'],
  gateway_timeout: [504, '<html>'],
};

describe.each(['complete', 'stream'] as const)('genai, %s', (way) => {
  const genai = clients[3];

  test.each(errorNames.filter((name) => name !== 'content_policy'))('sees %s as what it is', async (name) => {
    provider.next({ error: name });
    const error = await failureOf(genai?.[way]());
    const [status, text] = geminiSees[name];
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status });
    expect(String(error)).toContain(text);
  });

  test('sees a prompt that breaks the policy as an answer without candidates', async () => {
    provider.next({ error: 'content_policy' });
    expect(await genai?.[way]()).toMatchObject({ text: '', finish: undefined });
    expect(provider.counters).toMatchObject({ refused: 1 });
  });
});

describe('whatever the client', () => {
  test.each(clients)('$name fails with the status, JSON or stream', async (client) => {
    for (const way of ['complete', 'stream'] as const) {
      for (const status of [400, 401, 404, 429, 500, 503, 529]) {
        provider.next({ status });
        expect(await failureOf(client[way]())).toMatchObject(
          client.name.startsWith('ai:')
            ? { statusCode: status, isRetryable: status === 429 || status >= 500 }
            : { status },
        );
      }
    }
  });

  test.each(clients)('$name fails on a page of a proxy', async (client) => {
    provider.next({ status: 502 });
    const error = await failureOf(client.complete());
    expect(error).toMatchObject(client.name.startsWith('ai:') ? { statusCode: 502 } : { status: 502 });
    if (error instanceof APICallError) expect(error.responseBody).toContain('<h1>502 Bad Gateway</h1>');
  });

  test('a status that has no name of its own takes the body of its class', async () => {
    provider.next({ status: 418 }, { status: 507 });
    expect(await askOpenai()).toMatchObject({ status: 418, type: 'invalid_request_error' });
    expect(await askOpenai()).toMatchObject({ status: 507, type: 'server_error' });
  });

  test('a named error can have another status', async () => {
    provider.next({ error: 'overloaded', status: 500 });
    expect(await askAnthropic()).toMatchObject({ status: 500, type: 'overloaded_error' });
  });
});

describe('header fields', () => {
  const headersOf = async (behaviour: Behaviour, ask: () => Promise<unknown> = askOpenai): Promise<Headers> => {
    provider.next({ status: 429, ...behaviour });
    return ((await ask()) as { headers: Headers }).headers;
  };

  test("OpenAI's rate limits are read back by core", async () => {
    const headers = await headersOf({
      rateLimits: {
        requests: { limit: 60, remaining: 0, resetMs: 360_000 },
        tokens: { limit: 150_000, remaining: 149_984, resetMs: 1_500 },
      },
    });
    expect(headers.get('x-ratelimit-reset-requests')).toBe('6m0s');
    expect(parseRateLimitHeaders(headers)).toEqual([
      { unit: 'requests', limit: 60, remaining: 0, resetMs: 360_000 },
      { unit: 'tokens', limit: 150_000, remaining: 149_984, resetMs: 1_500 },
    ]);
  });

  test("Anthropic's rate limits are read back by core", async () => {
    const state = { limit: 50, remaining: 3, resetMs: 60_000 };
    const headers = await headersOf(
      { rateLimits: { requests: state, inputTokens: state, outputTokens: state } },
      askAnthropic,
    );
    expect(headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const readings = parseRateLimitHeaders(headers);
    expect(readings.map(({ unit }) => unit)).toEqual(['requests', 'input_tokens', 'output_tokens']);
    for (const { resetMs } of readings) expect(resetMs).toBeGreaterThan(50_000);
  });

  test('a wait is said as each provider says it', async () => {
    const openaiHeaders = await headersOf({ retryAfterMs: 1_250 });
    expect(openaiHeaders.get('retry-after')).toBe('2');
    expect(parseRetryAfter(openaiHeaders)).toBe(1_250);
    const anthropicHeaders = await headersOf({ retryAfterMs: 1_250 }, askAnthropic);
    expect(anthropicHeaders.has('retry-after-ms')).toBe(false);
    expect(parseRetryAfter(anthropicHeaders)).toBe(2_000);
    provider.next({ status: 429, retryAfterMs: 20_000 });
    expect(String(await failureOf(clients[3]?.complete()))).toContain('"retryDelay":"20s"');
  });

  test('any field can be said, over the own ones', async () => {
    const headers = await headersOf({ shouldRetry: true, headers: { 'X-Request-Id': 'mine', 'Retry-After': 'soon' } });
    expect(headers.get('x-should-retry')).toBe('true');
    expect(headers.get('x-request-id')).toBe('mine');
    expect(headers.get('retry-after')).toBe('soon');
  });

  test('rate limits come with answers too', async () => {
    provider.next({ rateLimits: { requests: { limit: 60, remaining: 59, resetMs: 1_000 } } });
    const { response } = await openai.chat.completions.create({ model: 'm', messages: [] }).withResponse();
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('59');
  });
});

describe('retries of the clients', () => {
  const patient = clientsOf(provider.url, 2).filter(({ name }) => /^(openai|anthropic)/.test(name));

  test.each(patient)('$name tries again and says which try it is', async (client) => {
    provider.next(
      { status: 429, headers: { 'retry-after-ms': '1' } },
      { status: 503, headers: { 'retry-after-ms': '1' } },
    );
    await client.complete();
    expect(provider.requests.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 429],
      [2, 503],
      [3, 200],
    ]);
  });

  test.each(patient)('$name heeds x-should-retry', async (client) => {
    provider.always({ status: 503, shouldRetry: false });
    await failureOf(client.complete());
    expect(provider.counters.requests).toBe(1);
  });

  test('a client that says nothing of its tries has none', async () => {
    await fetch(`${provider.url}/v1/models`);
    expect(provider.requests[0]?.attempt).toBeUndefined();
  });
});

async function failureOf(promise: PromiseLike<unknown> | undefined): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
