import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createFakeClock, createSeededRandom } from '@sage-adk/core/testing';
import { createRateLimiter, type Rule } from '../../src/index.ts';
import type { Admission } from '../../src/http/gate.ts';
import { type Answer, type Asked, ask, open } from './support/client.ts';
import { createSlots, type Slots } from './support/slots.ts';
import { adapters, type CommonOptions } from './support/servers.ts';

const perMinute = (limit: number): Rule => ({ name: 'user', scope: 'user', limit, per: 'minute' });
const byUser: CommonOptions['subjectOf'] = (field) => {
  const user = field('x-user');
  return user === undefined ? undefined : { user };
};
const ada = { headers: { 'x-user': 'ada' } };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe.each(Object.entries(adapters))('the adapter of %s', (name, start) => {
  const knowsPeer = name !== 'hono' && name !== 'fetch';

  test('RL19, RL20: the 11th quick request of a user limited to 10 gets a 429 with all header fields and the body', async () => {
    const { send } = await serve([perMinute(10)], { subjectOf: byUser });
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(ada)));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [200, 'hello']));
    expect(new Set(answers.map(({ headers }) => Number(headers['x-ratelimit-remaining'])))).toEqual(
      new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    );
    expect(answers[0]?.headers).not.toHaveProperty('retry-after');

    const refused = await send(ada);
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1696809660',
      'retry-after': '6',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(refused.body).toBe(
      '{"error":"rate_limit_exceeded","message":"Rate limit exceeded. Try again in 6 seconds.",' +
        '"retry_after":6,"limit":10,"remaining":0,"reset":1696809660}',
    );
    expect((await send({ headers: { 'x-user': 'bob' } })).status).toBe(200);
  });

  test('answers 422 without Retry-After where the cost can never fit', async () => {
    const { send } = await serve([perMinute(10)], { subjectOf: byUser, costs: { requests: 11 } });
    const { status, headers, body } = await send(ada);
    expect([status, headers['retry-after']]).toEqual([422, undefined]);
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_never_allowed' });
  });

  test('sends problem details to who asks for them', async () => {
    const { send } = await serve([perMinute(1)], { subjectOf: byUser });
    await send(ada);
    const refused = await send({ headers: { ...ada.headers, accept: 'application/problem+json, */*' } });
    expect([refused.status, refused.headers['content-type']]).toEqual([429, 'application/problem+json; charset=utf-8']);
    expect(JSON.parse(refused.body)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: 'Rate limit exceeded. Try again in 60 seconds.',
      'violated-policies': ['user'],
    });
  });

  test('sends the IETF fields in place of the others, or beside them', async () => {
    const ietf = await serve([perMinute(2)], { subjectOf: byUser, headers: 'ietf' });
    const allowed = await ietf.send(ada);
    expect(allowed.headers).toMatchObject({
      'ratelimit-policy': expect.stringMatching(/^"user";q=2/),
      ratelimit: expect.stringMatching(/^"user";r=1/),
    });
    expect(allowed.headers).not.toHaveProperty('x-ratelimit-limit');
    await ietf.send(ada);
    expect((await ietf.send(ada)).headers).toMatchObject({ 'retry-after': '30', ratelimit: '"user";r=0;t=30' });

    const both = await serve([perMinute(2)], { subjectOf: byUser, headers: 'both' });
    const { headers } = await both.send(ada);
    expect(Object.keys(headers)).toEqual(
      expect.arrayContaining(['ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-reset']),
    );
  });

  test('reads the client behind trusted proxies, from the field they write', async () => {
    const { send } = await serve([perMinute(1)], { trustedProxies: 1, forwardedField: 'forwarded' });
    const from = (value: string): Asked => ({ headers: { forwarded: value, 'x-forwarded-for': '203.0.113.9' } });
    expect((await send(from('for=198.51.100.1'))).status).toBe(200);
    expect((await send(from('for=198.51.100.2'))).status).toBe(200);
    expect((await send(from('for=192.0.2.66, for="198.51.100.2:4711";proto=https'))).status).toBe(429);
  });

  test('passes a request that is skipped without a decision', async () => {
    const { send } = await serve([perMinute(1)], { subjectOf: byUser, skips: true });
    await send(ada);
    const skipped = await send({ headers: { ...ada.headers, 'x-skip': 'yes' } });
    expect([skipped.status, skipped.headers['x-ratelimit-limit']]).toEqual([200, undefined]);
    expect((await send(ada)).status).toBe(429);
  });

  test('lets its user answer a denial, the fields being set', async () => {
    const { send } = await serve([perMinute(1)], { subjectOf: byUser, denied: 'short and stout' });
    await send(ada);
    const { status, body, headers } = await send(ada);
    expect([status, body, headers['retry-after']]).toEqual([418, 'short and stout', '60']);
  });

  test('hands what a limiter throws to where errors go, and does not call the handler', async () => {
    const limiter = createRateLimiter({ rules: [perMinute(1)] });
    await limiter.close();
    const { send } = await serveWith({ limiter, subjectOf: byUser });
    expect((await send(ada)).status).toBe(500);
  });

  test('hands what its answer to a denial rejects with to where errors go', async () => {
    const { send } = await serve([perMinute(1)], { subjectOf: byUser, failsToDeny: true });
    await send(ada);
    expect((await send(ada)).status).toBe(500);
  });

  test('shows handlers what was decided', async () => {
    const { send, seen } = await serve([perMinute(7)], { subjectOf: byUser });
    await send({ ...ada, path: '/seen' });
    expect(seen).toMatchObject([{ decision: { limit: 7, remaining: 6 } }]);
  });

  if (knowsPeer) {
    test('takes the address of the peer for a user where none is named, and trusts no header', async () => {
      const { send } = await serve([perMinute(1)]);
      expect((await send({ headers: { 'x-forwarded-for': '198.51.100.1' } })).status).toBe(200);
      expect((await send({ headers: { 'x-forwarded-for': '198.51.100.2' } })).status).toBe(429);
    });
  }

  describe('that holds what it reserved', () => {
    test('RL3, RL4: keeps every user and all together to so many requests at once', async () => {
      const limiter = createRateLimiter({
        rules: [
          { name: 'each', scope: 'user', unit: 'concurrency', limit: 2 },
          { name: 'all', scope: 'global', unit: 'concurrency', limit: 3 },
        ],
      });
      const { port, send, go } = await serveWith({ limiter, subjectOf: byUser, hold: true });
      const stream = async (user: string) => {
        const { response } = await open(port, { path: '/stream', headers: { 'x-user': user } });
        return response;
      };
      const streams = [await stream('ada'), await stream('ada')];
      const denied = await send(ada);
      expect([denied.status, JSON.parse(denied.body).limit, denied.headers['retry-after']]).toEqual([429, 2, '1']);
      streams.push(await stream('bob'));
      expect((await send({ headers: { 'x-user': 'eve' } })).status).toBe(429);
      go();
      await Promise.all(streams.map((response) => response.resume().toArray()));
      const left = async () => (await limiter.peek({ user: 'ada' })).rules.map(({ remaining }) => remaining);
      while (String(await left()) !== '2,3') await new Promise(setImmediate);
      expect((await send(ada)).status).toBe(200);
      await limiter.close();
    });

    test('RL3: loses no slot to clients that leave at any moment', async () => {
      const limiter = createRateLimiter({ rules: [{ name: 'all', scope: 'global', unit: 'concurrency', limit: 500 }] });
      const { port, go, deserted } = await serveWith({ limiter, subjectOf: byUser, hold: true });
      const random = createSeededRandom(7);
      const leave = async (): Promise<void> => {
        const sent = request({ port, host: '127.0.0.1', path: random() < 0.5 ? '/stream' : '/', agent: false }).end();
        sent.on('error', () => {});
        sent.on('response', (response) => response.on('error', () => {}).resume());
        for (let turns = Math.floor(random() * 40); turns > 0; turns--) await new Promise(setImmediate);
        sent.destroy();
      };
      for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 20 }, leave));
      await deserted();
      const left = async () => (await limiter.peek({})).remaining;
      while ((await left()) !== 500) await new Promise(setImmediate);
      go();
      await limiter.close();
    });

    test('gives it back when the response is sent', async () => {
      const slots = createSlots(1);
      const { send } = await hold(slots);
      expect((await send()).status).toBe(200);
      await slots.free();
      expect((await send()).status).toBe(200);
      await slots.free();
      expect(slots.ends).toEqual(['settled', 'settled']);
    });

    test('holds it while the response streams, and denies who comes meanwhile', async () => {
      const slots = createSlots(1);
      const { send, port, go } = await hold(slots);
      const { response } = await open(port, { path: '/stream' });
      expect((await once(response, 'data')).toString()).toBe('first');
      expect(slots.held).toBe(1);
      expect((await send()).status).toBe(429);
      go();
      await once(response.resume(), 'end');
      await slots.free();
      expect(slots.ends).toEqual(['settled']);
    });

    test('gives it back when the client leaves in the middle', async () => {
      const slots = createSlots(1);
      const { port } = await hold(slots);
      const { sent, response } = await open(port, { path: '/stream' });
      await once(response, 'data');
      response.on('error', () => {});
      sent.destroy();
      await slots.free();
      expect(slots.ends).toEqual(['settled']);
    });

    test('gives it back when the stream of the response fails', async () => {
      const slots = createSlots(1);
      const { port, go } = await hold(slots);
      // Hono's server writes what a stream throws to the console.
      const written = jest.spyOn(console, 'error').mockImplementation(() => {});
      const { response } = await open(port, { path: '/broken' });
      await once(response, 'data');
      response.on('error', () => {});
      const closed = new Promise((resolve) => void response.resume().on('close', resolve));
      go();
      await closed;
      await slots.free();
      written.mockRestore();
      expect(slots.ends).toEqual(['settled']);
    });

    test('gives it back when the handler throws', async () => {
      const slots = createSlots(1);
      const { send } = await hold(slots);
      await send({ path: '/throw' }).catch(() => undefined);
      await slots.free();
      expect(slots.ends).toEqual(['settled']);
    });

    test('gives it back after HEAD, whose body nobody reads', async () => {
      const slots = createSlots(1);
      const { send } = await hold(slots);
      await send({ method: 'HEAD' });
      await slots.free();
      expect(slots.ends).toEqual(['settled']);
    });

    test('cancels it where the client left before it was reserved', async () => {
      const asked = signal();
      const left = signal();
      const slots = createSlots(1, async () => {
        asked.go();
        await left.wait;
      });
      const { port, seen, deserted } = await hold(slots);
      const sent = request({ port, host: '127.0.0.1', path: '/seen' }).end();
      sent.on('error', () => {});
      await asked.wait;
      sent.destroy();
      await deserted();
      left.go();
      await slots.reserved;
      await slots.free();
      expect([slots.ends, seen]).toEqual([['cancelled'], []]);
    });
  });

  interface Served {
    readonly port: number;
    readonly seen: readonly (Admission | undefined)[];
    readonly send: (asked?: Asked) => Promise<Answer>;
    readonly go: () => void;
    readonly deserted: () => Promise<void>;
  }

  async function serveWith(options: CommonOptions): Promise<Served> {
    const seen: (Admission | undefined)[] = [];
    const { wait, go } = signal();
    const { stop, ...running } = await start(options, { saw: (admission) => void seen.push(admission), go: wait });
    stops.push(stop);
    return { ...running, seen, go, send: (asked) => ask(running.port, asked) };
  }

  function serve(rules: readonly Rule[], options: Omit<CommonOptions, 'limiter'> = {}): Promise<Served> {
    const clock = createFakeClock({ nowMs: 1_696_809_600_000 });
    return serveWith({ limiter: createRateLimiter({ rules, clock }), clock, ...options });
  }

  function hold(slots: Slots): Promise<Served> {
    return serveWith({ limiter: slots, hold: true });
  }
});

function signal(): { readonly wait: Promise<void>; readonly go: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, go: resolve };
}
