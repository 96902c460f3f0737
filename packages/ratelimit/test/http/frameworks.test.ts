/** What only one framework can get wrong; what all have in common is in adapters.test.ts. */
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { observe } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import express, { type Request as ExpressRequest } from 'express';
import { type Context, Hono } from 'hono';
import * as forExpress from '../../src/http/express.ts';
import * as forHono from '../../src/http/hono.ts';
import * as forNode from '../../src/http/node.ts';
import { createRateLimiter } from '../../src/index.ts';
import { type Answer, ask, type Asked } from './support/client.ts';
import { listen } from './support/listen.ts';
import { createSlots } from './support/slots.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

describe('Express', () => {
  test('limits a router alone, by what its own middlewares found out', async () => {
    const app = express();
    const router = express.Router();
    router.use((request, _response, next) => {
      Object.assign(request, { account: request.get('x-account') });
      next();
    });
    router.use(
      forExpress.rateLimit({
        limiter: limiterOf(1),
        subjectOf: (request: ExpressRequest & { account?: string }) => ({ user: request.account ?? '' }),
      }),
    );
    router.get('/', (_request, response) => void response.send('in'));
    app.use('/in', router);
    app.get('/out', (_request, response) => void response.send('out'));
    const send = await serve(app);
    const as = (account: string): Asked => ({ path: '/in', headers: { 'x-account': account } });
    const answers = [await send(as('ada')), await send(as('bob')), await send(as('ada')), await send({ path: '/out' })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
  });

  test('lists the policies of every limiter on the way', async () => {
    const app = express();
    app.use(forExpress.rateLimit({ limiter: limiterOf(9), headers: 'ietf' }));
    app.use(forExpress.rateLimit({ limiter: limiterOf(3), headers: 'ietf' }));
    app.get('/', (request, response) => {
      response.json(forExpress.admissionOf(request)?.decision.remaining);
    });
    const { headers, body } = await (await serve(app))();
    expect(String(headers['ratelimit-policy']).match(/q=\d/g)).toEqual(['q=9', 'q=3']);
    expect(body).toBe('2');
  });

  test('can hand a denial to its error handlers', async () => {
    const app = express();
    app.use(
      forExpress.rateLimit({
        limiter: limiterOf(1),
        onDenied: (denial, _request, _response, next) => next(new Error(`denied with ${denial.status}`)),
      }),
    );
    app.get('/', (_request, response) => void response.send('fine'));
    app.use((error: Error, _request: unknown, response: ServerResponse, _next: unknown) => {
      response.writeHead(503).end(error.message);
    });
    const send = await serve(app);
    await send();
    expect(await send()).toMatchObject({ status: 503, body: 'denied with 429' });
  });
});

describe('Hono', () => {
  test('adds the fields to whatever the app answers, also where nothing is found or a handler fails', async () => {
    const app = new Hono();
    app.use(forHono.rateLimit({ limiter: limiterOf(9), subjectOf: (_context: Context) => ({ user: 'ada' }) }));
    app.get('/redirect', (context) => context.redirect('/'));
    app.get('/fails', () => {
      throw new Error('handler failed');
    });
    app.onError((_error, context) => context.text('failed', 500));
    const answers = [await app.request('/redirect'), await app.request('/nowhere'), await app.request('/fails')];
    expect(answers.map(({ status, headers }) => [status, headers.get('x-ratelimit-remaining')])).toEqual([
      [302, '8'],
      [404, '7'],
      [500, '6'],
    ]);
  });

  test('gives back what it held where what comes next rejects', async () => {
    const slots = createSlots(1);
    const middleware = forHono.rateLimit({ limiter: slots, hold: true, trustedProxies: 1 });
    const context = { req: { raw: new Request('http://a.example'), header: () => undefined }, res: new Response() };
    await expect(middleware(context, () => Promise.reject(new Error('later')))).rejects.toThrow('later');
    expect(slots.ends).toEqual(['settled']);
  });

  test('is refused where nothing tells who sends requests', () => {
    expect(() => forHono.rateLimit({ limiter: limiterOf(1) })).toThrow('The option subjectOf is undefined');
  });
});

describe('node:http', () => {
  test('tells the observers where no decision could be made', async () => {
    const told = jest.fn();
    const subscription = observe({ name: 'test', events: { 'error.critical': told } });
    stops.push(() => subscription[Symbol.dispose]());
    const limiter = { check: () => Promise.reject(new Error('no store')) };
    const send = await serve(forNode.rateLimit((_request, response) => response.end('fine'), { limiter }));
    expect(await send()).toMatchObject({
      status: 500,
      body: '{"error":"internal_error","message":"Something went wrong. Try again later."}',
    });
    expect(told).toHaveBeenCalledWith({ source: 'ratelimit', reason: 'no_decision', message: 'Error: no store' });
  });

  test('lets its user answer where no decision could be made', async () => {
    const listener = forNode.rateLimit((_request, response) => response.end('fine'), {
      limiter: { check: () => Promise.reject(new Error('no store')) },
      onError: (error, _request, response) => void response.writeHead(503).end(String(error)),
    });
    expect(await (await serve(listener))()).toMatchObject({ status: 503, body: 'Error: no store' });
  });

  test('ends the connection where an answer to a denial was begun and failed', async () => {
    const send = await serve(
      denying(async (response) => {
        response.writeHead(429, { 'content-length': 100 }).write('half');
        await Promise.reject(new Error('no more'));
      }),
    );
    await expect(send()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('leaves an answer that was sent whole', async () => {
    const send = await serve(
      denying((response) => {
        response.writeHead(429).end('all of it');
        throw new Error('too late');
      }),
    );
    expect(await send()).toMatchObject({ status: 429, body: 'all of it' });
  });

  test('answers with 500 where its user fails to', async () => {
    const send = await serve(
      denying(
        () => Promise.reject(new Error('no answer')),
        () => Promise.reject(new Error('none either')),
      ),
    );
    expect(await send()).toMatchObject({ status: 500, body: expect.stringContaining('internal_error') });
  });

  test('gives back what it held when the listener fails, though nobody ends the response', async () => {
    const slots = createSlots(1);
    const failed = Promise.withResolvers<unknown>();
    const limited = forNode.rateLimit(() => Promise.reject(new Error('listener failed')), {
      limiter: slots,
      hold: true,
    });
    const send = await serve((request, response) => {
      void Promise.resolve(limited(request, response)).catch((error: unknown) => failed.resolve(error));
    });
    void send().catch(() => {});
    expect(String(await failed.promise)).toBe('Error: listener failed');
    expect(slots.ends).toEqual(['settled']);
  });

  test('has a guard that speaks both dialects and problem details', async () => {
    const guard = forNode.createGuard({ limiter: limiterOf(1), headers: 'both', partitionSecret: 'secret' });
    const send = await serve((request, response) => {
      if (guard(request, response).allowed) response.end('fine');
    });
    await send();
    const { status, headers } = await send({ headers: { accept: 'application/problem+json' } });
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'x-ratelimit-limit': '1',
      ratelimit: expect.stringMatching(/^"user";r=0;t=60/),
    });
  });
});

/** Denies every request. */
function denying(onDenied: (response: ServerResponse) => unknown, onError?: () => unknown): RequestListener {
  const limiter = limiterOf(1);
  limiter.checkSync({ user: 'ada' });
  return forNode.rateLimit(() => {}, {
    limiter,
    subjectOf: () => ({ user: 'ada' }),
    onDenied: (_denial, _request, response) => onDenied(response),
    ...(onError !== undefined && { onError }),
  });
}

function limiterOf(limit: number) {
  return createRateLimiter({
    rules: [{ name: 'user', scope: 'user', limit, per: 'minute' }],
    clock: createFakeClock(),
  });
}

async function serve(listener: RequestListener): Promise<(asked?: Asked) => Promise<Answer>> {
  const { port, stop } = await listen(createServer(listener));
  stops.push(stop);
  return (asked) => ask(port, asked);
}
