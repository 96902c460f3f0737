import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { isSageError, type LimitSubject, sources } from '@sage-adk/core';
import { recordOperations } from '@sage-adk/core/testing';
import {
  createRateLimiter,
  errorOf,
  hashApiKey,
  type Period,
  type RateLimiterOptions,
  type Rule,
} from '../src/index.ts';
import { createLimiter as create, startMs } from './support/limiters.ts';

const ada: LimitSubject = { user: 'ada' };
describe('limits', () => {
  const periods: readonly [Period, number][] = [
    ['second', 1_000],
    ['minute', 60_000],
    ['hour', 3_600_000],
    ['day', 86_400_000],
    [{ ms: 250 }, 250],
  ];
  test.each(periods)('RL1: so many requests per %p, and as many again when it has passed', (per, ms) => {
    const { limiter, clock } = create({ name: 'user', scope: 'user', limit: 2, per });
    const spend = (): boolean => limiter.checkSync(ada).allowed;
    expect([spend(), spend(), spend()]).toEqual([true, true, false]);
    clock.advance(ms);
    expect([spend(), spend(), spend()]).toEqual([true, true, false]);
  });

  test('RL7: a global limit is shared by everybody', () => {
    const { limiter } = create({ name: 'all', scope: 'global', limit: 2, per: 'minute' });
    expect(['ada', 'bob', 'eve'].map((user) => limiter.checkSync({ user }).allowed)).toEqual([true, true, false]);
    expect(limiter.checkSync({}).allowed).toBe(false);
  });

  const identities: readonly [string, LimitSubject, LimitSubject][] = [
    ['custom id', { user: 'ada' }, { user: 'bob' }],
    ['API key', { principal: { kind: 'api_key', id: 'sk-1' } }, { principal: { kind: 'api_key', id: 'sk-2' } }],
    ['DID', { principal: { kind: 'did', id: 'did:web:a' } }, { principal: { kind: 'did', id: 'did:web:b' } }],
  ];
  test.each(identities)('RL8: each user has limits of their own, by %s', (_name, one, other) => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    expect([one, one, other].map((subject) => limiter.checkSync(subject).allowed)).toEqual([true, false, true]);
  });

  test('RL9: each endpoint has limits of its own', () => {
    const { limiter } = create(
      { name: 'endpoint', scope: 'endpoint', limit: 2, per: 'minute' },
      { name: 'admin', scope: ({ endpoint }) => (endpoint === 'admin' ? 'admin' : undefined), limit: 1, per: 'minute' },
    );
    const spend = (endpoint: string): boolean => limiter.checkSync({ endpoint }).allowed;
    expect(['messages', 'messages', 'messages'].map(spend)).toEqual([true, true, false]);
    expect(['admin', 'admin'].map(spend)).toEqual([true, false]);
  });

  test('a function names the key, for instance of a user at an endpoint', () => {
    const { limiter } = create({
      name: 'pair',
      scope: ({ user, endpoint }) => `${user} ${endpoint}`,
      limit: 1,
      per: 'hour',
    });
    const subjects = ['a', 'a', 'b'].map((endpoint) => ({ user: 'ada', endpoint }));
    expect(subjects.map((subject) => limiter.checkSync(subject).allowed)).toEqual([true, false, true]);
  });

  test('a rule does not apply to a subject that lacks its scope', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    expect(limiter.checkSync({ endpoint: 'messages' })).toMatchObject({
      allowed: true,
      rules: [],
      violated: [],
      shadowDenied: [],
      limit: Number.POSITIVE_INFINITY,
      remaining: Number.POSITIVE_INFINITY,
      resetAtMs: startMs,
      retryAfterMs: 0,
      source: 'store',
      degraded: false,
    });
  });
});

describe('a decision', () => {
  test('shows all of itself as JSON and in a log, its lists too', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    limiter.checkSync(ada);
    const decision = limiter.checkSync(ada);
    const { rules, violated, shadowDenied, allowed, retryAfterMs } = decision;
    expect(JSON.parse(JSON.stringify(decision))).toMatchObject({
      allowed,
      retryAfterMs,
      rules,
      violated,
      shadowDenied,
    });
    expect(inspect(decision)).toContain("rule: 'user'");
    expect(decision.rules).toBe(rules);
    expect(violated).toEqual(rules);
  });

  test('tells of an allowed call what is left after it', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 10, per: 'minute' });
    const decision = limiter.checkSync(ada, { requests: 4 });
    expect(decision).toMatchObject({
      allowed: true,
      limit: 10,
      remaining: 6,
      retryAfterMs: 0,
      violated: [],
      degraded: false,
    });
    expect(decision.resetAtMs).toBe(startMs + 24_000);
    expect(decision.rules).toEqual([
      {
        rule: 'user',
        unit: 'requests',
        scope: 'user',
        mode: 'enforce',
        allowed: true,
        cost: 4,
        limit: 10,
        periodMs: 60_000,
        period: 'minute',
        key: 'ada',
        burst: 10,
        remaining: 6,
        resetAtMs: startMs + 24_000,
        retryAfterMs: 0,
      },
    ]);
  });

  test('is all or nothing: one rule that denies keeps the others from being charged', () => {
    const { limiter } = create(
      { name: 'user', scope: 'user', limit: 10, per: 'minute' },
      { name: 'all', scope: 'global', limit: 2, per: 'minute' },
    );
    const decisions = Array.from({ length: 8 }, () => limiter.checkSync(ada));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(2);
    expect(decisions.at(-1)?.rules.map(({ rule, remaining }) => [rule, remaining])).toEqual([
      ['user', 8],
      ['all', 0],
    ]);
  });

  test('a large cost that is denied leaves room for small ones', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 100, per: 'minute' });
    const spend = (requests: number): boolean => limiter.checkSync(ada, { requests }).allowed;
    expect([99, 50, 1].map(spend)).toEqual([true, false, true]);
  });

  test('shows the rule with the least left in proportion, on a denial the one with the longest wait', () => {
    const { limiter } = create(
      { name: 'minute', scope: 'user', limit: 3, per: 'minute' },
      { name: 'second', scope: 'user', limit: 2, per: 'second' },
      { name: 'hour', scope: 'user', limit: 2, per: 'hour' },
    );
    expect(limiter.checkSync(ada)).toMatchObject({ limit: 2, remaining: 1, allowed: true });
    limiter.checkSync(ada);
    const denied = limiter.checkSync(ada);
    expect(denied.violated.map(({ rule }) => rule)).toEqual(['hour', 'second']);
    expect(denied).toMatchObject({ allowed: false, limit: 2, remaining: 0, retryAfterMs: 1_800_000 });
  });

  test('tells a wait after which the same call fits, to the microsecond', () => {
    const { limiter, clock } = create(
      { name: 'second', scope: 'user', limit: 7, per: 'second' },
      { name: 'all', scope: 'global', limit: 11, per: 'second', burst: 3 },
    );
    const spend = () => limiter.checkSync(ada, { requests: 2 });
    while (spend().allowed);
    const { retryAfterMs = Number.NaN } = spend();
    clock.advance(retryAfterMs - 0.001);
    expect(spend()).toMatchObject({ allowed: false, retryAfterMs: 0.001 });
    clock.advance(0.001);
    expect(spend().allowed).toBe(true);
  });

  test('goes by monotonic time: a step of the wall clock adds nothing', () => {
    const { limiter, clock } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    limiter.checkSync(ada);
    for (const [stepMs, leftMs] of [
      [3_600_000, 59_000],
      [-7_200_000, 58_000],
    ] as const) {
      clock.stepWall(stepMs);
      clock.advance(1_000);
      expect(limiter.checkSync(ada)).toMatchObject({ allowed: false, resetAtMs: clock.now() + leftMs });
    }
  });

  test('a cost above the burst is never allowed: no wait is told, and the error is a 422', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 10, per: 'minute', burst: 3 });
    const decision = limiter.checkSync(ada, { requests: 4 });
    expect(decision).toMatchObject({ allowed: false, retryAfterMs: undefined, remaining: 3 });
    const error = errorOf(decision);
    expect(isSageError(error, 'SAGE_RATELIMIT_NEVER_ALLOWED')).toBe(true);
    expect(error).toMatchObject({ status: 422, category: 'permanent', outcome: 'denied', retryAfterMs: undefined });
    expect(error?.message).toBe(
      'A cost of 4 requests never fits rule "user", which admits at most 3 at once. Ask for less.',
    );
  });

  test('amounts to an error for who wants to throw it', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'second' });
    expect(errorOf(limiter.checkSync(ada))).toBeUndefined();
    expect(errorOf(limiter.checkSync(ada))).toMatchObject({
      code: 'SAGE_RATELIMIT_EXCEEDED',
      status: 429,
      retryAfterMs: 1_000,
      message: 'Rate limit exceeded. Try again in 1 second.',
    });
  });

  test('says that it is degraded where the subject shares the overflow bucket', () => {
    const { limiter } = create({
      rules: [{ name: 'user', scope: 'user', limit: 1, per: 'minute' }],
      maxKeys: 1,
    });
    expect(limiter.checkSync(ada)).toMatchObject({ source: 'store', degraded: false });
    expect(limiter.checkSync({ user: 'bob' })).toMatchObject({ allowed: true, source: 'overflow', degraded: true });
    expect(limiter.checkSync({ user: 'eve' })).toMatchObject({ allowed: false, source: 'overflow', degraded: true });
  });
});

describe('a shadow rule', () => {
  const shadow: Rule = { name: 'shadow', scope: 'user', limit: 1, per: 'minute', mode: 'shadow' };

  test('denies nothing and says what it would have denied', () => {
    const { limiter } = create(shadow, { name: 'user', scope: 'user', limit: 5, per: 'minute' });
    limiter.checkSync(ada);
    const decision = limiter.checkSync(ada);
    expect(decision).toMatchObject({ allowed: true, violated: [], limit: 5, remaining: 3 });
    expect(decision.shadowDenied.map(({ rule }) => rule)).toEqual(['shadow']);
  });

  test('is not charged for what an enforced rule denied', () => {
    const { limiter, clock } = create(
      { ...shadow, limit: 2 },
      { name: 'user', scope: 'user', limit: 1, per: 'second' },
    );
    for (let n = 0; n < 5; n++) limiter.checkSync(ada);
    clock.advance(1_000);
    expect(limiter.checkSync(ada).shadowDenied).toEqual([]);
  });
});

describe('a limiter', () => {
  test('peeks without charging', async () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 2, per: 'minute' });
    await limiter.peek(ada);
    expect(await limiter.peek(ada, { requests: 2 })).toMatchObject({ allowed: true, remaining: 2 });
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.peek(ada, { requests: 2 })).toMatchObject({ allowed: false, retryAfterMs: 30_000 });
  });

  test('resets a subject and leaves the global limit', async () => {
    const { limiter } = create(
      { name: 'user', scope: 'user', limit: 1, per: 'minute' },
      { name: 'all', scope: 'global', limit: 3, per: 'minute' },
    );
    limiter.checkSync(ada);
    limiter.checkSync({ user: 'bob' });
    await limiter.reset(ada);
    expect(limiter.checkSync(ada).rules.map(({ remaining }) => remaining)).toEqual([0, 0]);
    expect(limiter.checkSync({ user: 'bob' }).violated.map(({ rule }) => rule)).toEqual(['user', 'all']);
  });

  test('shows what is used, API keys as their hash', async () => {
    const { limiter, clock } = create({ name: 'user', scope: 'user', limit: 4, per: 'minute' });
    limiter.checkSync(ada, { requests: 3 });
    limiter.checkSync({ principal: { kind: 'api_key', id: 'sk-secret' } });
    const rows = await limiter.snapshot();
    expect(rows.map(({ key, remaining }) => [key, remaining])).toEqual([
      ['ada', 1],
      [`|api_key|${hashApiKey('sk-secret')}`, 3],
    ]);
    expect(JSON.stringify(rows)).not.toContain('sk-secret');
    clock.advance(15_000);
    expect(await limiter.snapshot()).toHaveLength(1);
  });

  test('RL22: reports each denial by rule, and counts decisions', () => {
    using recorder = recordOperations();
    const { limiter } = create(
      { name: 'user', scope: 'user', limit: 1, per: 'minute' },
      { name: 'shadow', scope: 'global', limit: 1, per: 'hour', mode: 'shadow' },
    );
    limiter.checkSync(ada);
    limiter.checkSync({ user: 'bob' });
    limiter.checkSync(ada);
    limiter.checkSync(ada, { requests: 2 });
    const common = { unit: 'requests' };
    expect(recorder.emitted('limiter.denied')).toEqual([
      { ...common, rule: 'shadow', scope: 'global', mode: 'shadow', retryAfterMs: 3_600_000 },
      { ...common, rule: 'user', scope: 'user', mode: 'enforce', retryAfterMs: 60_000 },
      { ...common, rule: 'shadow', scope: 'global', mode: 'shadow', retryAfterMs: 3_600_000 },
      { ...common, rule: 'user', scope: 'user', mode: 'enforce', retryAfterMs: Number.POSITIVE_INFINITY },
      { ...common, rule: 'shadow', scope: 'global', mode: 'shadow', retryAfterMs: Number.POSITIVE_INFINITY },
    ]);
    const counters = sources().find(({ name }) => name === 'limiter.memory');
    expect(counters?.read()).toMatchObject({
      allowed: 2,
      denied: 2,
      shadowDenied: 3,
      overflowed: 0,
      keys: 3,
      reclaimed: 0,
    });
  });

  test('stays blocked as long as it was told at most', async () => {
    const { limiter, clock } = create({ name: 'all', scope: 'global', limit: 50, per: 'minute' });
    for (const blockMs of [60_000, 1_000]) await limiter.lower({}, [{ rule: 'all', blockMs }]);
    clock.advance(1_001);
    expect(limiter.checkSync({})).toMatchObject({ allowed: false, retryAfterMs: 58_999 });
    await limiter.lower({}, [{ rule: 'all', blockMs: 90_000 }]);
    clock.advance(60_000);
    expect(limiter.checkSync({})).toMatchObject({ allowed: false, retryAfterMs: 30_000 });
  });

  test.each([
    { remaining: Number.NaN },
    { remaining: -1 },
    { remaining: 1.5 },
    { blockMs: Number.NaN },
    { blockMs: -1 },
  ])('is lowered by nothing where a correction is %p', async (wrong) => {
    const { limiter } = create({ name: 'all', scope: 'global', limit: 5, per: 'minute' });
    const corrections = [
      { rule: 'all', blockMs: 1_000 },
      { rule: 'all', ...wrong },
    ];
    await expect(limiter.lower({}, corrections)).rejects.toThrow(`corrections["all"].${Object.keys(wrong)[0]}`);
    expect(Array.from({ length: 6 }, () => limiter.checkSync({}).allowed).filter(Boolean)).toHaveLength(5);
  });

  test('peeking reports nothing', async () => {
    using recorder = recordOperations();
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    limiter.checkSync(ada);
    expect((await limiter.peek(ada)).allowed).toBe(false);
    expect(recorder.emitted('limiter.denied')).toEqual([]);
  });

  test('ends with close(): no counters, no decisions', async () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    expect(sources().filter(({ name }) => name === 'limiter.memory')).toHaveLength(1);
    await limiter.close();
    expect(sources().filter(({ name }) => name === 'limiter.memory')).toEqual([]);
    expect(() => limiter.checkSync(ada)).toThrow(expect.objectContaining({ code: 'SAGE_RATELIMIT_CLOSED' }));
    await expect(limiter.check(ada)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
  });
});

describe('options', () => {
  const rule: Rule = { name: 'user', scope: 'user', limit: 10, per: 'second' };
  const wrong: readonly [string, Partial<Record<keyof Rule, unknown>>, string][] = [
    ['a limit of 0', { limit: 0 }, 'rules["user"].limit is 0; it must be a whole number from 1 to 4503599627370496'],
    ['a fraction', { limit: 1.5 }, 'rules["user"].limit is 1.5'],
    [
      'an unknown period',
      { per: 'week' },
      'rules["user"].per is "week"; it must be "second", "minute", "hour", "day", "calendar-day"',
    ],
    ['a period of nothing', { per: { ms: 0 } }, 'rules["user"].per.ms is 0'],
    ['a burst of 0', { burst: 0 }, 'rules["user"].burst is 0'],
    [
      'a strict burst above the limit',
      { strict: true, burst: 11 },
      'rules["user"].burst is 11; it must be a whole number from 1 to 10',
    ],
    ['a burst beyond all time', { burst: 2 ** 52 }, 'rules["user"].burst is'],
    ['an unknown scope', { scope: 'planet' }, 'rules["user"].scope is "planet"'],
    ['an unknown strategy', { strategy: 'guess' }, 'rules["user"].strategy is "guess"'],
    ['an unknown unit', { unit: 'bananas' }, 'rules["user"].unit is "bananas"'],
    ['an unknown mode', { mode: 'dry' }, 'rules["user"].mode is "dry"'],
    ['a name with a space', { name: 'a user' }, 'rules[].name is "a user"'],
  ];
  test.each(wrong)('%s is refused at once, with its name, value and range', (_name, change, message) => {
    expect(() => createRateLimiter({ rules: [{ ...rule, ...change } as Rule] })).toThrow(
      expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test('two rules of one name are refused', () => {
    expect(() => createRateLimiter({ rules: [rule, rule] })).toThrow('rules[].name is "user"; it must be unique');
  });

  test.each([0, -1, Number.NaN, 20_000_000])('maxKeys of %p is refused', (maxKeys) => {
    expect(() => createRateLimiter({ rules: [rule], maxKeys })).toThrow('maxKeys');
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'a cost of %p is refused and charges nothing',
    (requests) => {
      const { limiter } = create(rule);
      expect(() => limiter.checkSync(ada, { requests })).toThrow('costs.requests');
      expect(limiter.checkSync(ada).remaining).toBe(9);
    },
  );

  test.each<[string, object, string]>([
    ['no rules', {}, 'rules is undefined; it must be a list of rules'],
    ['rules by name', { rules: { user: rule } }, 'rules is [object Object]'],
    ['a tier that is a number', { rules: [{ ...rule, tiers: { gold: 600 } }] }, 'rules["user"].tiers.gold is 600'],
    [
      'a default below 0',
      { rules: [rule], defaultEstimate: { outputTokens: -1 } },
      'defaultEstimate.outputTokens is -1',
    ],
    ['a default fraction', { rules: [rule], defaultEstimate: { requests: 1.5 } }, 'defaultEstimate.requests is 1.5'],
    ['money below 0', { rules: [rule], defaultEstimate: { costNanoUsd: -1n } }, 'defaultEstimate.costNanoUsd is -1'],
    ['a default that is a number', { rules: [rule], defaultEstimate: 5 }, 'defaultEstimate is 5'],
  ])('%s is refused at once', (_name, options, message) => {
    const make = () => createRateLimiter(options as RateLimiterOptions);
    expect(make).toThrow(
      expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test.each<[string, unknown, string]>([
    ['user that is null', { user: null }, 'subject.user is null; it must be a string'],
    ['user that is a number', { user: 42 }, 'subject.user is 42'],
    ['principal that is null', { principal: null }, 'subject.principal is null; it must be an object'],
    ['principal that is a text', { principal: 'sk-secret' }, 'subject.principal is "string"; it must be an object'],
    ['principal of a number', { principal: { kind: 'api_key', id: 42 } }, 'subject.principal.id is 42'],
    [
      'principal without id',
      { principal: { kind: 'api_key' } },
      'subject.principal.id is undefined; it must be a string.',
    ],
    ['principal without kind', { principal: { id: 'sk-secret' } }, 'subject.principal.kind is undefined'],
    ['subject that is null', null, 'subject is null; it must be an object'],
    ['subject that is missing', undefined, 'subject is undefined; it must be an object'],
    ['subject that is a text', 'sk-secret', 'subject is "string"; it must be an object'],
  ])('a %s is refused', async (_name, given, message) => {
    const subject = given as LimitSubject;
    const { limiter } = create(rule);
    const error = expect.objectContaining({
      code: 'SAGE_CORE_INVALID_OPTION',
      message: expect.stringContaining(message),
    });
    expect(() => limiter.checkSync(subject)).toThrow(error);
    await expect(limiter.check(subject)).rejects.toThrow(error);
    await expect(limiter.reserve(subject)).rejects.toThrow(error);
    if (given !== undefined) expect(() => limiter.set(rule.name, { limit: 5 }, subject)).toThrow(error);
    expect((await limiter.peek(ada)).remaining).toBe(rule.limit);
  });

  test('a subject that is none is refused by rules for everybody, too', async () => {
    const { limiter } = create({ ...rule, scope: 'global', tiers: { gold: { limit: 20 } } });
    const check = () => limiter.checkSync(null as unknown as LimitSubject);
    expect(check).toThrow('subject is null; it must be an object');
  });

  test('what a scope throws is its own', () => {
    const mistake = new Error('no tenant');
    const scope = (): string => {
      throw mistake;
    };
    expect(() => create({ ...rule, scope }).limiter.checkSync(ada)).toThrow(mistake);
  });

  test('a longest hold that is no number is refused by its name', async () => {
    const { limiter } = create(rule);
    await expect(limiter.reserve(ada, {}, { maxHoldMs: Number.NaN })).rejects.toThrow('maxHoldMs is NaN');
  });

  test('no rules allow everything', () => {
    expect(create({ rules: [] }).limiter.checkSync(ada).allowed).toBe(true);
  });

  test('strict takes half of the limit as burst', () => {
    expect(create({ ...rule, strict: true }).limiter.checkSync(ada).rules[0]?.burst).toBe(5);
  });
});
