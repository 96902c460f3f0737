import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineErrors } from '@sage-adk/core';
import { BrokenCircuitError, BulkheadRejectedError } from 'cockatiel';
import fc from 'fast-check';
import { meaningOf } from '../../src/classify/classification.ts';
import { createClassifier } from '../../src/index.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const classifier = createClassifier({ now: () => nowMs });
const errors = defineErrors('CLASSIFYTEST', {
  BUSY: { category: 'transient', status: 503, message: 'Busy.' },
  DENIED: { category: 'transient', outcome: 'denied', status: 429, message: 'Denied.' },
  BROKEN: { category: 'critical', status: 500, message: 'Broken.' },
  LATE: { category: 'transient', outcome: 'timeout', status: 504, message: 'Late.' },
  GATEWAY: { category: 'transient', status: 504, message: 'The gateway heard nothing.' },
});

const reasons = Object.keys(meaningOf);
const http = (status: number, more: object = {}): Error =>
  Object.assign(new Error(`status ${status}`), { status, ...more });
const caused = (message: string, cause: object): Error => Object.assign(new TypeError(message), { cause });

describe('ER17: the category of an error', () => {
  test.each([
    ['a refused connection of fetch', caused('fetch failed', { code: 'ECONNREFUSED' }), 'transient', 'network', 'yes'],
    [
      'a reset two causes deep, as SDKs wrap it',
      caused('Connection error.', caused('fetch failed', { code: 'ECONNRESET' })),
      'transient',
      'network',
      'yes',
    ],
    ['a body that was cut', new TypeError('terminated'), 'transient', 'network', 'yes'],
    ['a name that does not resolve now', caused('fetch failed', { code: 'EAI_AGAIN' }), 'transient', 'dns', 'yes'],
    ['a name that does not exist', caused('fetch failed', { code: 'ENOTFOUND' }), 'permanent', 'config', 'no'],
    ['a bad certificate', caused('fetch failed', { code: 'CERT_HAS_EXPIRED' }), 'permanent', 'config', 'no'],
    [
      'headers that never came',
      caused('fetch failed', { code: 'UND_ERR_HEADERS_TIMEOUT' }),
      'transient',
      'timeout',
      'if-idempotent',
    ],
    ['AbortSignal.timeout', new DOMException('late', 'TimeoutError'), 'transient', 'timeout', 'if-idempotent'],
    ['the caller leaving', new DOMException('bye', 'AbortError'), 'cancelled', 'caller', 'no'],
    [
      'the caller leaving, in the words of OpenAI',
      Object.assign(new Error('Request was aborted.'), { name: 'APIUserAbortError' }),
      'cancelled',
      'caller',
      'no',
    ],
    ['400', http(400), 'permanent', 'invalid', 'no'],
    ['401', http(401), 'permanent', 'auth', 'no'],
    ['402', http(402), 'permanent', 'quota', 'no'],
    ['404', http(404), 'permanent', 'not_found', 'no'],
    ['408', http(408), 'transient', 'timeout', 'if-idempotent'],
    ['409', http(409), 'transient', 'conflict', 'yes'],
    ['413', http(413), 'permanent', 'context_length', 'no'],
    ['422', http(422), 'permanent', 'invalid', 'no'],
    ['425', http(425), 'transient', 'too_early', 'yes'],
    ['429', http(429), 'transient', 'rate_limited', 'yes'],
    ['429 because the money is gone', http(429, { code: 'insufficient_quota' }), 'permanent', 'quota', 'no'],
    [
      '400 because the prompt is too long, by code',
      http(400, { code: 'context_length_exceeded' }),
      'permanent',
      'context_length',
      'no',
    ],
    [
      '400 because the prompt is too long, by message',
      http(400, { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens' }),
      'permanent',
      'context_length',
      'no',
    ],
    ['a content filter', http(400, { code: 'content_filter' }), 'permanent', 'content_policy', 'no'],
    ['500', http(500), 'transient', 'server', 'yes'],
    ['501', http(501), 'permanent', 'unsupported', 'no'],
    ['502', http(502), 'transient', 'server', 'yes'],
    ['503', http(503), 'transient', 'overloaded', 'yes'],
    ['504', http(504), 'transient', 'timeout', 'if-idempotent'],
    ['529', http(529), 'transient', 'overloaded', 'yes'],
    [
      'an overload told within a stream',
      Object.assign(new Error('Overloaded'), { status: undefined, type: 'overloaded_error' }),
      'transient',
      'overloaded',
      'yes',
    ],
    [
      'the provider says not to try again',
      http(500, { headers: { 'x-should-retry': 'false' } }),
      'transient',
      'server',
      'no',
    ],
    [
      'the provider says to try again',
      http(400, { headers: new Headers({ 'x-should-retry': 'true' }) }),
      'permanent',
      'invalid',
      'yes',
    ],
    ['a transient error of ours', errors.BUSY(), 'transient', 'overloaded', 'yes'],
    ['a denial of ours', errors.DENIED(), 'transient', 'rejected', 'no'],
    ['a timeout of ours', errors.LATE(), 'transient', 'timeout', 'if-idempotent'],
    ['a timeout by its status', errors.GATEWAY(), 'transient', 'timeout', 'if-idempotent'],
    [
      'ours, made of a method that may have had its effect',
      errors.BUSY({}, { cause: { code: -32_603, message: 'internal' } }),
      'transient',
      'server',
      'if-idempotent',
    ],
    ['ours, made of what is permanent', errors.BUSY({}, { cause: http(404) }), 'transient', 'not_found', 'yes'],
    ["an open breaker of cockatiel's", new BrokenCircuitError(), 'transient', 'rejected', 'no'],
    ["a full bulkhead of cockatiel's", new BulkheadRejectedError(1, 0), 'transient', 'rejected', 'no'],
    ['a critical error of ours', errors.BROKEN(), 'critical', 'server', 'no'],
    ['a bug', new RangeError('index'), 'permanent', 'unknown', 'no'],
    ['a string', 'broken', 'permanent', 'unknown', 'no'],
    ['nothing', undefined, 'permanent', 'unknown', 'no'],
  ])('%s', (_, error, category, reason, retry) => {
    expect(classifier.classify(error)).toMatchObject({ category, reason, retry });
  });

  test('an abort by a deadline is the deadline, by the caller the caller', () => {
    const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    expect(classifier.classify(late.reason, { signal: late }).reason).toBe('deadline');
    const left = AbortSignal.abort();
    expect(classifier.classify(new DOMException('x', 'AbortError'), { signal: left })).toMatchObject({
      category: 'cancelled',
      reason: 'caller',
    });
  });

  test('a cause that names itself ends', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(classifier.classify(loop).reason).toBe('unknown');
    const ours = errors.BUSY();
    ours.cause = ours;
    expect(classifier.classify(ours).reason).toBe('overloaded');
  });

  test.each([
    ['an object without a prototype', Object.create(null)],
    ['an object that says nothing of its class', Object.assign(new Error('x'), { constructor: undefined })],
    ['a code that is a name of every object', Object.assign(new Error('x'), { code: 'constructor' })],
    ['a type that is one', Object.assign(new Error('x'), { type: 'toString' })],
    ['the prototype as its code', Object.assign(new Error('x'), { code: '__proto__' })],
    ['a name that is one', Object.assign(new Error('x'), { name: 'valueOf' })],
    ['an answer of Redis that begins with one', Object.assign(new Error('constructor of x'), { name: 'ReplyError' })],
  ])('nobody knows %s', (_, error: unknown) => {
    expect(classifier.classify(error)).toMatchObject({ category: 'permanent', reason: 'unknown', retry: 'no' });
  });

  test('whatever is thrown has a reason', () => {
    const word = fc.constantFrom(
      ...Object.getOwnPropertyNames(Object.prototype),
      'Error',
      'McpError',
      'ReplyError',
      '',
    );
    const value = fc.oneof(word, fc.anything({ withNullPrototype: true, maxDepth: 2 }));
    const keys = ['name', 'message', 'code', 'type', 'status', 'severity', 'cause', 'error', 'data', 'constructor'];
    const thrown = fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: false });
    fc.assert(
      fc.property(fc.oneof(thrown, value), (error) => {
        expect(reasons).toContain(classifier.classify(error).reason);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the wait that was asked for', () => {
  test.each([
    [http(429, { headers: { 'retry-after': '7' } }), 7_000],
    [http(429, { responseHeaders: { 'retry-after-ms': '150' } }), 150],
    [http(503, { headers: new Headers({ 'retry-after': 'Fri, 02 Jan 2026 03:04:06 GMT' }) }), 1_000],
    [errors.BUSY({}, { retryAfterMs: 20 }), 20],
    [http(429), undefined],
  ])('is read from the answer: %#', (error, waitMs) => {
    expect(classifier.classify(error).waitMs).toBe(waitMs);
  });
});

test("a user's rule comes first", () => {
  const strict = createClassifier({ rules: [(_, { status }) => (status === 500 ? 'invalid' : undefined)] });
  expect(strict.classify(http(500)).reason).toBe('invalid');
  expect(strict.classify(http(502)).reason).toBe('server');
  const never = createClassifier({ rules: [() => 'invalid'] });
  expect(never.classify(errors.BUSY())).toMatchObject({ category: 'permanent', reason: 'invalid', retry: 'no' });
});

describe('errors of the real fetch', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/cut')
        response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
      else request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const errorOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    );

  test.each([
    ['a connection that was reset', () => fetch(`${url}/reset`), 'network'],
    ['a body that was cut', async () => (await fetch(`${url}/cut`)).text(), 'network'],
    ['a port that fetch blocks', () => fetch('http://127.0.0.1:9'), 'config'],
    ['a port where nobody listens', () => fetch('http://127.0.0.1:59999'), 'network'],
    ['an abort', () => fetch(url, { signal: AbortSignal.abort() }), 'caller'],
    ['an address that is none', () => fetch('http://'), 'config'],
  ])('%s', async (_, call, reason) => {
    expect(classifier.classify(await errorOf(call())).reason).toBe(reason);
  });
});

test('ER17: an error of this project has the reason of what it was made of, and its own category', () => {
  const cause = http(400, { code: 'context_length_exceeded' });
  const error = errors.BROKEN({}, { cause });
  expect(classifier.classify(error)).toMatchObject({ category: 'critical', reason: 'context_length', retry: 'no' });
  expect(classifier.classify(errors.BUSY({}, { cause: new Error('?') }))).toMatchObject({ reason: 'overloaded' });
});
