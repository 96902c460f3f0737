import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Admission, admissionOf, rateLimit, routeLimit } from '../../src/http/fastify.ts';
import { createRateLimiter } from '../../src/index.ts';
import { createSlots } from './support/slots.ts';

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe('the Fastify plugin', () => {
  test('limits the scope that registers it and those inside, and no other', async () => {
    const app = create();
    app.get('/free', async () => 'free');
    await app.register(async (scope) => {
      await scope.register(rateLimit, { limiter: limiterOf(1) });
      scope.get('/limited', async () => 'limited');
      await scope.register(async (inner) => {
        inner.get('/inner', async () => 'inner');
      });
    });
    expect(await statuses(app, '/limited', '/inner', '/limited')).toEqual([200, 429, 429]);
    expect(await statuses(app, '/free', '/free')).toEqual([200, 200]);
  });

  test('limits routes that were declared before it was loaded', async () => {
    const app = create();
    app.get('/', async () => 'early');
    void app.register(rateLimit, { limiter: limiterOf(1) });
    expect(await statuses(app, '/', '/')).toEqual([200, 429]);
  });

  test('counts requests to no route', async () => {
    const app = create();
    await app.register(rateLimit, { limiter: limiterOf(2) });
    expect(await statuses(app, '/nowhere', '/nowhere', '/nowhere')).toEqual([404, 404, 429]);
  });

  test('goes by the options of a route where it has its own', async () => {
    const app = create();
    await app.register(rateLimit, { limiter: limiterOf(10), subjectOf: byUser });
    app.get('/health', { config: routeLimit(false) }, async () => 'well');
    app.get('/costly', { config: routeLimit({ costOf: () => ({ requests: 5 }) }) }, async () => 'done');
    app.get('/own', { config: { ...routeLimit({ limiter: limiterOf(1) }) } }, async () => 'done');
    const remaining = async (url: string) => (await app.inject(url)).headers['x-ratelimit-remaining'];
    expect([await remaining('/health'), await remaining('/costly'), await remaining('/costly')]).toEqual([
      undefined,
      '5',
      '0',
    ]);
    expect(await statuses(app, '/costly', '/own', '/own', '/health')).toEqual([429, 200, 429, 200]);
  });

  test('limits only the routes that ask for it where it is not global', async () => {
    const app = create();
    await app.register(rateLimit, { limiter: limiterOf(1), global: false });
    app.get('/free', async () => 'free');
    app.get('/limited', { config: routeLimit({}) }, async () => 'limited');
    expect(await statuses(app, '/free', '/free', '/limited', '/limited')).toEqual([200, 200, 200, 429]);
  });

  test('refuses options of a route that cannot be when it is declared', async () => {
    const app = create();
    await app.register(rateLimit, { limiter: limiterOf(1) });
    expect(() => app.get('/', { config: routeLimit({ trustedProxies: -1 }) }, async () => '')).toThrow(
      'trustedProxies is -1',
    );
  });

  test('asks a limiter once about a request, and every other one too', async () => {
    const app = create();
    const [outer, inner] = [limiterOf(10), limiterOf(10)];
    await app.register(rateLimit, { limiter: outer, headers: 'ietf' });
    await app.register(rateLimit, { limiter: outer });
    await app.register(rateLimit, { limiter: inner, headers: 'ietf' });
    let seen: (Admission | undefined)[] = [];
    app.get('/', (request, reply) => {
      seen = [admissionOf(request, outer), admissionOf(request, inner), admissionOf(request)];
      void reply.send('');
    });
    const { headers } = await app.inject('/');
    expect(seen.map((admission) => admission?.decision.remaining)).toEqual([9, 9, 9]);
    expect(seen[2]).toBe(seen[1]);
    expect(String(headers['ratelimit']).split(', ')).toHaveLength(2);
  });

  test('decorates requests with what was decided', async () => {
    const app = create();
    await app.register(rateLimit, { limiter: limiterOf(3) });
    const seen: unknown[] = [];
    app.get('/', (request, reply) => {
      seen.push(request.getDecorator<Admission | null>('rateLimit')?.decision.remaining);
      void reply.send('');
    });
    app.get('/skipped', { config: routeLimit(false) }, (request, reply) => {
      seen.push(request.getDecorator('rateLimit'));
      void reply.send('');
    });
    await statuses(app, '/', '/skipped');
    expect(seen).toEqual([2, null]);
  });

  test('can come after the hooks that find out who sent the request', async () => {
    const app = create();
    app.addHook('preValidation', async (request) => {
      Object.assign(request, { account: String(request.headers['x-account']) });
    });
    await app.register(rateLimit, {
      limiter: limiterOf(1),
      hook: 'preHandler',
      subjectOf: (request: FastifyRequest & { account?: string }) => ({ user: request.account ?? '' }),
    });
    app.get('/', async () => '');
    const as = async (account: string) =>
      (await app.inject({ url: '/', headers: { 'x-account': account } })).statusCode;
    expect([await as('ada'), await as('bob'), await as('ada')]).toEqual([200, 200, 429]);
  });

  test('holds and gives back over HTTP/2 too, also where the client left before', async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    let waits = false;
    const slots = createSlots(1, async () => {
      if (!waits) return;
      asked.resolve();
      await left.promise;
    });
    const app = Fastify({ http2: true });
    await app.register(rateLimit, { limiter: slots, hold: true });
    app.get('/', async () => 'fine');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    const [headers] = (await once(session.request({ ':path': '/' }).resume(), 'response')) as [Record<string, unknown>];
    await slots.free();
    expect([headers[':status'], headers['x-ratelimit-limit'], slots.ends]).toEqual([200, '1', ['settled']]);

    waits = true;
    const stream = session.request({ ':path': '/' });
    await asked.promise;
    const closed = once(stream, 'close');
    stream.close(constants.NGHTTP2_CANCEL);
    await closed;
    // The server has seen what came before this answer.
    await new Promise((resolve) => void session.ping(resolve));
    left.resolve();
    while (slots.ends.length < 2) await new Promise(setImmediate);
    expect(slots.ends).toEqual(['settled', 'cancelled']);
    session.close();
    await app.close();
  });

  // RFC 9113, section 8.1: the answer is complete, so what is left of the request is not wanted, and that is no error of the client's.
  test('over HTTP/2 a denial is answered in full before the body has come, and ends the request with NO_ERROR', async () => {
    const app = Fastify({ http2: true });
    await app.register(rateLimit, { limiter: limiterOf(1) });
    app.post('/', async () => 'fine');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    const post = () => session.request({ ':method': 'POST', ':path': '/', 'content-type': 'text/plain' });
    const first = post().end('all of it');
    await once(first.resume(), 'close');
    const cut = post();
    cut.write('the first of it');
    const closed = once(cut, 'close');
    const [headers] = (await once(cut, 'response')) as [Record<string, unknown>];
    const body = Buffer.concat(await cut.toArray()).toString();
    await closed;
    expect([headers[':status'], headers['content-length']]).toEqual([429, String(body.length)]);
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded' });
    expect([cut.rstCode, cut.errored]).toEqual([constants.NGHTTP2_NO_ERROR, null]);
    // The connection goes on.
    const next = post().end('all of it');
    expect(((await once(next.resume(), 'response')) as [Record<string, unknown>])[0][':status']).toBe(429);
    session.close();
    await app.close();
  });

  test('leaves the answer to hooks of Fastify: a denial passes onSend', async () => {
    const app = create();
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-sent', 'yes');
      return payload;
    });
    await app.register(rateLimit, { limiter: limiterOf(1) });
    app.get('/', async () => '');
    await app.inject('/');
    const { statusCode, headers, body } = await app.inject('/');
    expect([statusCode, headers['x-sent'], headers['content-length']]).toEqual([429, 'yes', String(body.length)]);
  });
});

function byUser({ headers }: FastifyRequest) {
  return { user: String(headers['x-user'] ?? 'ada') };
}

function limiterOf(limit: number) {
  return createRateLimiter({
    rules: [{ name: 'user', scope: 'user', limit, per: 'minute' }],
    clock: createFakeClock(),
  });
}

function create(): FastifyInstance {
  const app = Fastify();
  apps.push(app);
  return app;
}

async function statuses(app: FastifyInstance, ...urls: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const url of urls) found.push((await app.inject(url)).statusCode);
  return found;
}
