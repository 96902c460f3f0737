import { afterEach, describe, expect, test } from '@jest/globals';
import { run, sources } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { createPush, type Push, type PushOptions } from '../../src/push/index.ts';
import { type PushReceiver, type ReceivedPush, startPushReceiver } from '../../src/testing/index.ts';
import { findTool, startTool } from '../support/debian-tool.ts';
import { valueIn } from '../support/exposition-text.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A receiver that the test need not close. */
async function gateway(answer?: Parameters<typeof startPushReceiver>[0]): Promise<PushReceiver> {
  const receiver = await startPushReceiver(answer);
  closing.push(() => receiver.close());
  return receiver;
}

function create(options: Partial<PushOptions> & { readonly url: string }): {
  push: Push;
  metrics: Metrics;
  count: (amount?: number) => void;
} {
  const metrics = createMetrics({ runtime: false });
  const counter = metrics.counter({ name: 'jobs_total', help: 'Jobs.' }).with();
  // Long enough that a push comes because it is asked for, unless a test says otherwise.
  const push = createPush({ metrics, job: 'nightly', everyMs: 3_600_000, deadlineMs: 30_000, ...options });
  closing.push(
    () => metrics.close(),
    () => push.close().catch(() => {}),
  );
  return { push, metrics, count: (amount) => counter.inc(amount) };
}
const last = ({ received }: PushReceiver) => valueIn(received.at(-1)?.body ?? '', 'jobs_total');
const counters = () =>
  sources()
    .find(({ name }) => name === 'metrics.push')
    ?.read();

describe('a push', () => {
  test('puts the text of all metrics at the path of its job and group', async () => {
    const receiver = await gateway();
    const { push, count } = create({
      url: `${receiver.url}/`,
      grouping: { instance: 'a 1', path: '/var/tmp', none: '' },
      headers: { authorization: 'Bearer x' },
    });
    count(3);
    await push.push();
    expect(receiver.received).toHaveLength(1);
    const [{ method, path, headers, body }] = receiver.received as readonly [ReceivedPush];
    expect([method, path]).toEqual([
      'PUT',
      '/metrics/job/nightly/instance/a%201/path@base64/L3Zhci90bXA/none@base64/=',
    ]);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers.authorization).toBe('Bearer x');
    expect(valueIn(body, 'jobs_total')).toBe(3);
    expect(body).toContain('# HELP jobs_total Jobs.');
  });

  test('comes each second by itself, on the clock', async () => {
    const receiver = await gateway();
    const clock = createFakeClock();
    const { count } = create({ url: receiver.url, clock, everyMs: 1_000 });
    for (const total of [1, 2, 3]) {
      count();
      const pushed = receiver.pushed();
      await clock.advanceAsync(1_000);
      await pushed;
      expect(last(receiver)).toBe(total);
      while (counters()?.['sent'] !== total) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  test('that is asked for while one runs has what was counted until then; as many as ask get one', async () => {
    let release = (): void => {};
    const receiver = await gateway((response, number) => {
      if (number > 1) response.end();
      else release = () => response.end();
    });
    const { push, count } = create({ url: receiver.url });
    count();
    const first = push.push();
    await receiver.pushed();
    count();
    const others = [push.push(), push.push()];
    count();
    release();
    await Promise.all([first, ...others]);
    expect(receiver.received.map(({ body }) => valueIn(body, 'jobs_total'))).toEqual([1, 3]);
  });

  test('that fails says why, changes nothing, and is made up for by the next', async () => {
    const receiver = await gateway((response, number) => {
      if (number === 1) response.writeHead(503);
      else if (number === 2) response.writeHead(400);
      response.end(number === 2 ? 'no such metric' : '');
    });
    const { push, count } = create({ url: receiver.url });
    count();
    await expect(push.push()).rejects.toMatchObject({ code: 'SAGE_METRICS_PUSH_UNAVAILABLE', category: 'transient' });
    await expect(push.push()).rejects.toMatchObject({
      code: 'SAGE_METRICS_PUSH_REFUSED',
      details: { status: 400, answer: 'no such metric' },
    });
    await push.push();
    expect(last(receiver)).toBe(1);
    expect(counters()).toEqual({ sent: 1, failed: 2 });
  });

  test('ends at its deadline where the gateway does not answer', async () => {
    const receiver = await gateway(() => {});
    const { push } = create({ url: receiver.url, deadlineMs: 20, closeWithinMs: 0 });
    await expect(push.push()).rejects.toMatchObject({ code: 'SAGE_METRICS_PUSH_UNAVAILABLE' });
  });

  test('never runs beside another, whoever asks for it at which moment', async () => {
    let atOnce = 0;
    let most = 0;
    const fetch = async (): Promise<Response> => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      return new Response('');
    };
    const { push } = create({ url: 'http://gateway', fetch });
    await Promise.all([push.push().then(() => push.push()), push.push()]);
    expect(most).toBe(1);
  });

  test.each([
    ['..', '/metrics/job/nightly/instance@base64/Li4'],
    ['.', '/metrics/job/nightly/instance@base64/Lg'],
    ['...', '/metrics/job/nightly/instance/...'],
    ['\uD800', '/metrics/job/nightly/instance/%EF%BF%BD'],
  ])('of the group "%s" goes to no other', async (instance, path) => {
    const receiver = await gateway();
    const { push } = create({ url: receiver.url, grouping: { instance } });
    await push.push();
    expect(receiver.received.map((received) => received.path)).toEqual([path]);
  });

  test.each([
    'http://ada:s3cret@gateway',
    'http://s3cret@gateway',
    'http://gateway?key=s3cret',
    'http://gateway#s3cret',
  ])('the URL %s is refused, and not quoted', (url) => {
    expect(() => create({ url })).toThrow(/^The option url is "\*\*\*"; it must be an http or https URL without/);
  });

  test.each([
    [{ url: 'ftp://127.0.0.1' }, 'url'],
    [{ url: 'http://127.0.0.1', job: '' }, 'job'],
    [{ url: 'http://127.0.0.1', grouping: { 'a-b': 'c' } }, 'grouping'],
    [{ url: 'http://127.0.0.1', everyMs: 0 }, 'everyMs'],
  ])('a bad option is named: %j', (options, name) => {
    expect(() => create(options)).toThrow(
      expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION', details: expect.objectContaining({ option: name }) }),
    );
  });
});

describe('OC8: the last push', () => {
  test('has everything that was counted until the close, also what a running push has not', async () => {
    let release = (): void => {};
    const receiver = await gateway((response, number) => {
      if (number > 1) response.end();
      else release = () => response.end();
    });
    const { push, count } = create({ url: receiver.url });
    count();
    void push.push();
    await receiver.pushed();
    count(41);
    const closed = push.close();
    release();
    await closed;
    expect(last(receiver)).toBe(42);
    expect(counters()).toBeUndefined();
  });

  test('is tried again until the gateway is back', async () => {
    const receiver = await gateway((response, number) => response.writeHead(number < 4 ? 503 : 200).end());
    const { push, count } = create({ url: receiver.url, closeWithinMs: 60_000 });
    count(7);
    await push.close();
    expect(receiver.received).toHaveLength(4);
    expect(last(receiver)).toBe(7);
  });

  test.each(['outside', 'inside'])('does not end with the request that closes it, made %s of it', async (where) => {
    const receiver = await gateway((response, number) => response.writeHead(number === 1 ? 503 : 200).end());
    const gone = new AbortController();
    const request = { signal: gone.signal, deadlineMs: performance.now() - 1 };
    const make = () => create({ url: receiver.url, closeWithinMs: 60_000 });
    const { push, count } = where === 'inside' ? run(request, make) : make();
    count(7);
    gone.abort(new Error('the job ran out of time'));
    await run(request, () => push.close());
    expect(receiver.received).toHaveLength(2);
    expect(last(receiver)).toBe(7);
  });

  test('is over in its time, whatever the deadline of a push is and also where one runs already', async () => {
    const clock = createFakeClock();
    const fetch = (_url: unknown, init?: RequestInit) =>
      new Promise<Response>((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('cut'))));
    const { push } = create({ url: 'http://gateway', fetch, clock, closeWithinMs: 300 });
    const running = expect(push.push()).rejects.toMatchObject({ code: 'SAGE_METRICS_PUSH_UNAVAILABLE' });
    await clock.advanceAsync(10);
    const closed = expect(push.close()).rejects.toMatchObject({
      code: 'SAGE_METRICS_PUSH_UNAVAILABLE',
      details: { reason: 'the time of the close is over' },
    });
    await clock.advanceAsync(310);
    await Promise.all([running, closed]);
    expect(clock.pending).toBe(0);
  });

  test('throws when its time is over, and says so once', async () => {
    const { push } = create({ url: 'http://127.0.0.1:1', closeWithinMs: 0 });
    await expect(push.close()).rejects.toMatchObject({ code: 'SAGE_METRICS_PUSH_UNAVAILABLE' });
    await expect(push.close()).rejects.toMatchObject({ code: 'SAGE_METRICS_PUSH_UNAVAILABLE' });
  });
});

const { tool, skipped } = await findTool('prometheus-pushgateway', 'usr/bin/prometheus-pushgateway');

describe('OC8: a Pushgateway of Prometheus', () => {
  if (tool === undefined) {
    test.skip(`takes the whole catalogue (no Pushgateway: ${skipped})`, () => {});
    return;
  }

  test('takes the whole catalogue, keeps each process apart, and shows what the last push of each had', async () => {
    await using server = await startTool(tool, (address) => [`--web.listen-address=${address}`]);
    const { url } = server;
    for (const [instance, amount] of [
      ['one', 1],
      ['two/2', 2],
    ] as const) {
      const { push, metrics, count } = create({ url, grouping: { instance } });
      await push.push();
      count(amount);
      await push.close();
      await metrics.close();
    }
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(valueIn(text, 'jobs_total', { job: 'nightly', instance: 'one' })).toBe(1);
    expect(valueIn(text, 'jobs_total', { job: 'nightly', instance: 'two/2' })).toBe(2);
    expect(valueIn(text, 'push_failure_time_seconds', { instance: 'one' })).toBe(0);
  });
});
