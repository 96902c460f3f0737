import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { emit, operate, type Outcome } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createHealth } from '../../src/index.ts';
import { breakerCheck, llmCheck, modelsProbe } from '../../src/ready-made/index.ts';

const { signal } = new AbortController();
const statusOf = async (check: { check(signal: AbortSignal): Promise<{ status: string } | void> }) =>
  (await check.check(signal))?.status;
const call = (outcome: Outcome, provider = 'openai') =>
  operate('llm.call', { provider, model: 'm', api: 'chat', stream: false }, (operation) => operation.settle(outcome));
const change = (from: string, to: string, dependency = 'openai') =>
  emit('breaker.changed', { dependency, from, to, reason: 'test' });

describe('the check of a model', () => {
  test('OH2: fails when the calls made anyway fail in a row, until it has rested or one succeeds', async () => {
    const clock = createFakeClock();
    using check = llmCheck({ failures: 3, restMs: 1_000, clock });
    for (const outcome of ['error', 'timeout', 'ok', 'error', 'error', 'denied', 'cancelled'] as const) call(outcome);
    expect(await statusOf(check)).toBe('pass');
    call('error');
    expect(await check.check(signal)).toEqual({ status: 'fail', detail: 'the last 3 calls failed' });
    clock.advance(1_000);
    expect(await statusOf(check)).toBe('pass');
    call('error');
    expect(await statusOf(check)).toBe('fail');
    call('ok');
    expect(await statusOf(check)).toBe('pass');
  });

  test('looks at one provider and its breaker where asked', async () => {
    using check = llmCheck({ provider: 'openai', failures: 1 });
    expect(check.name).toBe('llm.openai');
    call('error', 'anthropic');
    change('closed', 'open', 'anthropic');
    expect(await statusOf(check)).toBe('pass');
    change('closed', 'open');
    expect(await statusOf(check)).toBe('fail');
    change('open', 'recovering');
    expect(await statusOf(check)).toBe('warn');
    change('recovering', 'forced-open');
    expect(await check.check(signal)).toEqual({ status: 'fail', detail: 'the breaker is forced-open' });
    change('forced-open', 'disabled');
    expect(await statusOf(check)).toBe('pass');
    change('recovering', 'closed');
    expect(await statusOf(check)).toBe('pass');
    call('error');
    expect(await statusOf(check)).toBe('fail');
  });

  test('asks the unbilled probe only when no call has succeeded since the last run', async () => {
    let asked = 0;
    using check = llmCheck({
      probe: async () => {
        asked++;
        throw new Error('unreachable');
      },
    });
    call('ok');
    expect(await statusOf(check)).toBe('pass');
    expect(asked).toBe(0);
    await expect(check.check(signal)).rejects.toThrow('unreachable');
    expect(asked).toBe(1);
  });

  test('OH2: one failing run is enough, and a fallback keeps the agent ready', async () => {
    using check = llmCheck({ failures: 1, hasFallback: () => true });
    await using health = createHealth({ checks: [check] });
    await health.refresh();
    health.markStarted();
    call('error');
    await health.refresh();
    expect(health.ready()).toMatchObject({ status: 'warn', reason: 'llm: failing, a fallback serves' });
  });

  test('hears nothing any more once it is disposed', async () => {
    const check = llmCheck({ failures: 1 });
    check[Symbol.dispose]();
    call('error');
    expect(await statusOf(check)).toBe('pass');
  });

  test.each([
    [{ failures: 0 }, 'failures'],
    [{ restMs: -1 }, 'restMs'],
  ])('a bad option is named: %j', (options, name) => {
    expect(() => llmCheck(options)).toThrow(name);
  });
});

describe('the probe of a provider', () => {
  test('lists the models, with its header fields, and says no more than the status of an answer', async () => {
    const seen: unknown[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      seen.push([request.method, request.url, request.headers.authorization]);
      response.writeHead(status).end('{"error":"key sk-secret-key is wrong"}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
    const probe = modelsProbe({ baseUrl, headers: { authorization: 'Bearer sk-secret-key' } });
    await probe(signal);
    expect(seen).toEqual([['GET', '/v1/models', 'Bearer sk-secret-key']]);
    status = 401;
    await expect(probe(signal)).rejects.toMatchObject({
      code: 'SAGE_HEALTH_PROBE_REFUSED',
      message: 'GET /v1/models of the provider answered 401.',
    });
    server.close();
    server.closeAllConnections();
  });

  test('needs a URL', () => {
    expect(() => modelsProbe({ baseUrl: 'api.openai.com' })).toThrow('baseUrl');
  });
});

test('a breaker that is open, also by force, fails, one that recovers warns, one that is switched off passes', async () => {
  using check = breakerCheck({ dependency: 'openai', critical: false });
  expect(check).toMatchObject({ name: 'breaker.openai', critical: false });
  expect(await statusOf(check)).toBe('pass');
  change('closed', 'open');
  expect(await statusOf(check)).toBe('fail');
  change('open', 'half-open');
  expect(await check.check(signal)).toEqual({ status: 'warn', detail: 'the breaker is half-open' });
  change('half-open', 'forced-open');
  expect(await check.check(signal)).toEqual({ status: 'fail', detail: 'the breaker is forced-open' });
  change('forced-open', 'disabled');
  expect(await statusOf(check)).toBe('pass');
});
