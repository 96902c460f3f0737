import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LimitSubject } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createRateLimiter, type Rule } from '../../src/index.ts';
import { clientAddress, createGuard, type NodeGuardOptions, type RequestFrom } from '../../src/http/node.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

const tenPerMinute: Rule = { name: 'user', scope: 'user', limit: 10, per: 'minute' };

describe('the guard of a node:http server', () => {
  test('RL19, RL20: the 11th quick request of a user limited to 10 gets a 429 with all header fields and the body', async () => {
    const send = await serve([tenPerMinute], () => ({ user: 'ada' }));
    const answers = await Promise.all(Array.from({ length: 10 }, () => send()));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [200, 'hello']));
    expect(new Set(answers.map(({ headers }) => Number(headers['x-ratelimit-remaining'])))).toEqual(
      new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    );
    expect(answers[0]?.headers).not.toHaveProperty('retry-after');

    const refused = await send();
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1696809660',
      'retry-after': '6',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(JSON.parse(refused.body)).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Rate limit exceeded. Try again in 6 seconds.',
      retry_after: 6,
      limit: 10,
      remaining: 0,
      reset: 1_696_809_660,
    });
  });

  test('takes the address of the peer for a user where none is named, and trusts no header', async () => {
    const send = await serve([{ ...tenPerMinute, limit: 1 }]);
    expect((await send({ 'x-forwarded-for': '198.51.100.1' })).status).toBe(200);
    expect((await send({ 'x-forwarded-for': '198.51.100.2' })).status).toBe(429);
  });

  test('reads the client behind trusted proxies', async () => {
    const send = await serve([{ ...tenPerMinute, limit: 1 }], undefined, { trustedProxies: 1 });
    expect((await send({ 'x-forwarded-for': '198.51.100.1' })).status).toBe(200);
    expect((await send({ 'x-forwarded-for': '198.51.100.2' })).status).toBe(200);
    expect((await send({ 'x-forwarded-for': '192.0.2.66, 198.51.100.2' })).status).toBe(429);
  });

  test('answers 422 where the cost can never fit', async () => {
    const send = await serve([tenPerMinute], () => ({ user: 'ada' }), {}, 11);
    const { status, headers, body } = await send();
    expect([status, headers['retry-after']]).toEqual([422, undefined]);
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_never_allowed' });
  });

  test('refuses a wrong number of proxies', () => {
    expect(() => createGuard({ limiter: createRateLimiter({ rules: [] }), trustedProxies: -1 })).toThrow(
      'trustedProxies is -1',
    );
  });
});

describe('the address of a client', () => {
  const from = (forwarded: string): RequestFrom => ({
    socket: { remoteAddress: '10.0.0.1' },
    headers: { 'x-forwarded-for': forwarded },
  });

  test.each([
    ['198.51.100.1', 0, '10.0.0.1'],
    ['198.51.100.1', 1, '198.51.100.1'],
    ['192.0.2.66, 198.51.100.1', 1, '198.51.100.1'],
    ['192.0.2.66, 198.51.100.1, 10.0.0.2', 2, '198.51.100.1'],
    ['', 1, '10.0.0.1'],
    ['198.51.100.1', 2, '10.0.0.1'],
    ['unknown', 1, '10.0.0.1'],
  ])('with X-Forwarded-For %p behind %p proxies is %s', (forwarded, proxies, address) => {
    expect(clientAddress(from(forwarded), proxies)).toBe(address);
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Starts a guarded server; returns how to send it a request. */
async function serve(
  rules: readonly Rule[],
  subjectOf: () => LimitSubject | undefined = () => undefined,
  options: Omit<NodeGuardOptions, 'limiter'> = {},
  requests = 1,
): Promise<(headers?: Record<string, string>) => Promise<Answer>> {
  const clock = createFakeClock({ nowMs: 1_696_809_600_000 });
  const guard = createGuard({ limiter: createRateLimiter({ rules, clock }), ...options });
  const server = createServer((incoming, response) => {
    if (guard(incoming, response, subjectOf(), { requests }).allowed) response.end('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return async (headers = {}) => {
    const sent = request({ port, host: '127.0.0.1', headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.concat(await response.toArray()).toString(),
    };
  };
}
