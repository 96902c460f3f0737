import { describe, expect, jest, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { type FetchLimitOptions, type HttpLimiter, rateLimit } from '../../src/http/fetch.ts';
import { createRateLimiter, type RateLimiter } from '../../src/index.ts';
import { createSlots } from './support/slots.ts';

const url = 'http://service.example/';

describe('a handler behind a limiter', () => {
  test('gets what its runtime passes besides the request, and so do the functions of the options', async () => {
    const subjectOf = jest.fn((_request: Request, context: { readonly params: { readonly id: string } }) => ({
      user: context.params.id,
    }));
    const handler = rateLimit(
      (_request: Request, { params }: { readonly params: { readonly id: string } }) => new Response(params.id),
      { limiter: limiterOf(1), subjectOf },
    );
    expect(await (await handler(new Request(url), { params: { id: 'ada' } })).text()).toBe('ada');
    expect((await handler(new Request(url), { params: { id: 'bob' } })).status).toBe(200);
    expect((await handler(new Request(url), { params: { id: 'ada' } })).status).toBe(429);
  });

  test('is refused where nothing tells who sends requests', () => {
    expect(() => rateLimit(() => new Response(), { limiter: limiterOf(1) })).toThrow(
      'The option subjectOf is undefined',
    );
  });

  test.each([
    [{ headers: 'draft-7' as 'prd' }, 'The option headers is "draft-7"'],
    [{ trustedProxies: 1.5 }, 'The option trustedProxies is 1.5'],
    [{ forwardedField: 'via' as 'forwarded' }, 'The option forwardedField is "via"'],
    [{ limiter: {} }, 'one with check or checkSync'],
    [{ hold: true, limiter: { check: () => Promise.reject() } }, 'one with reserve, since it is to hold'],
  ])('is refused with %p', (wrong, message) => {
    const options = { limiter: limiterOf(1), subjectOf: () => ({ user: 'ada' }), ...wrong } as FetchLimitOptions;
    expect(() => rateLimit(() => new Response(), options)).toThrow(message);
  });

  test('is asked by check where the limiter has it, since a shared store decides later', async () => {
    const limiter = limiterOf(1);
    const check = jest.fn<RateLimiter['check']>((...asked) => limiter.check(...asked));
    const handler = rateLimit(() => new Response(), {
      limiter: { check, checkSync: () => Promise.reject() as never },
      subjectOf: () => ({ user: 'ada' }),
    });
    expect((await handler(new Request(url))).status).toBe(200);
    expect(check).toHaveBeenCalledTimes(1);
    const sync = rateLimit(() => new Response(), {
      limiter: { checkSync: (...asked) => limiter.checkSync(...asked) },
      subjectOf: () => ({ user: 'ada' }),
    });
    expect((await sync(new Request(url))).status).toBe(429);
  });

  test('rejects with what the limiter throws', async () => {
    const limiter = limiterOf(1);
    await limiter.close();
    const handler = rateLimit(() => new Response(), { limiter, subjectOf: () => ({ user: 'ada' }) });
    await expect(handler(new Request(url))).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
  });

  test.each([
    ['a redirect', () => Response.redirect(url), 302],
    ['no content', () => new Response(null, { status: 204 }), 204],
    ['JSON', () => Response.json({ fine: true }), 200],
  ])('can answer with %s, and the fields are added', async (_what, make, status) => {
    const handler = rateLimit(make, { limiter: limiterOf(5), subjectOf: () => ({ user: 'ada' }) });
    const response = await handler(new Request(url));
    expect([response.status, response.headers.get('x-ratelimit-remaining')]).toEqual([status, '4']);
  });

  test('may answer with a network error, which stays as it is', async () => {
    const answer = Response.error();
    const handler = rateLimit(() => answer, { limiter: limiterOf(5), subjectOf: () => ({ user: 'ada' }) });
    expect(await handler(new Request(url))).toBe(answer);
  });

  test('adds its policies to those of a limiter inside', async () => {
    const options = (limit: number) => ({
      limiter: limiterOf(limit),
      subjectOf: () => ({ user: 'ada' }),
      headers: 'both' as const,
    });
    const handler = rateLimit(
      rateLimit(() => new Response(), options(3)),
      options(9),
    );
    const { headers } = await handler(new Request(url));
    expect(headers.get('ratelimit-policy')?.match(/q=\d/g)).toEqual(['q=3', 'q=9']);
    expect(headers.get('x-ratelimit-limit')).toBe('9');
  });

  describe('that holds what it reserved', () => {
    test('hands over the body as it was, chunk by chunk and no sooner than it is read', async () => {
      const slots = createSlots(1);
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (++pulled > 3) controller.close();
            else controller.enqueue(Uint8Array.of(pulled));
          },
        },
        { highWaterMark: 0 },
      );
      const response = await hold(slots, () => new Response(body, { status: 201, headers: { 'x-own': 'kept' } }));
      expect([response.status, response.headers.get('x-own'), pulled, slots.held]).toEqual([201, 'kept', 0, 1]);
      expect([...(await response.bytes())]).toEqual([1, 2, 3]);
      expect(slots.ends).toEqual(['settled']);
    });

    test('settles when the body is cancelled, and passes that on', async () => {
      const slots = createSlots(1);
      const cancel = jest.fn<(reason: unknown) => void>();
      const response = await hold(slots, () => new Response(new ReadableStream({ cancel })));
      await response.body?.cancel('enough');
      expect([cancel.mock.calls, slots.ends]).toEqual([[['enough']], ['settled']]);
    });

    test('settles when the body fails, and passes that on', async () => {
      const slots = createSlots(1);
      const pull = () => Promise.reject(new Error('body failed'));
      const response = await hold(slots, () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 })));
      await expect(response.text()).rejects.toThrow('body failed');
      expect(slots.ends).toEqual(['settled']);
    });

    test('settles when the request is aborted, though nobody ever reads the body', async () => {
      const slots = createSlots(1);
      const controller = new AbortController();
      const request = new Request(url, { signal: controller.signal });
      await hold(slots, () => new Response('unread'), request);
      expect(slots.held).toBe(1);
      controller.abort();
      expect(slots.held).toBe(0);
    });

    test('tells the limiter how long it may wait and hold', async () => {
      const slots = createSlots(1);
      const reserve = jest.fn<NonNullable<HttpLimiter['reserve']>>(() => slots.reserve());
      const limits = { limiter: { reserve }, trustedProxies: 1, hold: { maxWaitMs: 500, ttlMs: 10_000 } };
      await rateLimit(() => new Response(), limits)(new Request(url));
      expect(reserve.mock.calls[0]?.[2]).toEqual({ maxWaitMs: 500, ttlMs: 10_000 });
    });

    test('settles at once where there is no body to wait for', async () => {
      const slots = createSlots(1);
      await hold(slots, () => new Response(null, { status: 204 }));
      await hold(slots, () => new Response('unread'), new Request(url, { method: 'HEAD' }));
      expect(slots.ends).toEqual(['settled', 'settled']);
    });

    test('settles and rejects where the handler fails', async () => {
      const slots = createSlots(1);
      await expect(hold(slots, () => Promise.reject(new Error('handler failed')))).rejects.toThrow('handler failed');
      expect(slots.ends).toEqual(['settled']);
    });

    test('does not begin where the request was aborted before', async () => {
      const slots = createSlots(1);
      const handler = jest.fn(() => new Response());
      const { status } = await hold(slots, handler, new Request(url, { signal: AbortSignal.abort() }));
      expect([status, handler.mock.calls.length, slots.ends]).toEqual([499, 0, ['cancelled']]);
    });
  });
});

function hold(slots: ReturnType<typeof createSlots>, handler: () => Response | Promise<Response>, request?: Request) {
  const options = { limiter: slots, hold: true, subjectOf: () => ({ user: 'ada' }) };
  return rateLimit(handler, options)(request ?? new Request(url));
}

function limiterOf(limit: number) {
  const rules = [{ name: 'user', scope: 'user', limit, per: 'minute' }] as const;
  return createRateLimiter({ rules, clock: createFakeClock() });
}
