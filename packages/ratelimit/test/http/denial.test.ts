import { describe, expect, test } from '@jest/globals';
import { wantsProblem } from '../../src/http/accept.ts';
import { denialOf } from '../../src/http/denial.ts';
import { decisionOf, state } from './support/decisions.ts';

describe('the answer to a denied call', () => {
  const denied = decisionOf(
    state({ rule: 'minute', limit: 100, remaining: 0, allowed: false, retryAfterMs: 41_001 }),
    state({ rule: 'hour', allowed: false, retryAfterMs: 10 }),
    state({ rule: 'day' }),
  );
  const tooLarge = decisionOf(state({ cost: 61, allowed: false, retryAfterMs: undefined }));

  test('RL20: is a 429 with exactly the six keys', () => {
    const answer = denialOf(denied, undefined);
    expect([answer?.status, answer?.contentType]).toEqual([429, 'application/json; charset=utf-8']);
    expect(answer?.body).toBe(
      '{"error":"rate_limit_exceeded","message":"Rate limit exceeded. Try again in 42 seconds.",' +
        '"retry_after":42,"limit":100,"remaining":0,"reset":1696809601}',
    );
  });

  test('names every policy that said no, for who reads problem details', () => {
    const answer = denialOf(denied, 'application/problem+json');
    expect([answer?.status, answer?.contentType]).toEqual([429, 'application/problem+json; charset=utf-8']);
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: 'Rate limit exceeded. Try again in 42 seconds.',
      'violated-policies': ['minute', 'hour'],
    });
  });

  test('is a 422 of its own where the cost can never fit, which no waiting cures', () => {
    const plain = denialOf(tooLarge, undefined);
    expect(plain?.status).toBe(422);
    expect(Object.keys(JSON.parse(plain?.body ?? ''))).toEqual(['error', 'message', 'limit', 'remaining', 'reset']);
    expect(JSON.parse(denialOf(tooLarge, 'application/problem+json')?.body ?? '')).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Content',
      status: 422,
      detail: 'A cost of 61 requests never fits rule "user", which admits at most 60 at once. Ask for less.',
      'violated-policies': ['user'],
    });
  });

  test('is a 503 where nobody could decide: the client has done nothing wrong', () => {
    const closed = { ...decisionOf(state({ allowed: false, retryAfterMs: 1_000 })), source: 'policy' as const };
    const plain = denialOf(closed, undefined);
    expect([plain?.status, JSON.parse(plain?.body ?? '')]).toEqual([
      503,
      {
        error: 'rate_limit_unavailable',
        message: 'Limits cannot be checked now. Try again later.',
        retry_after: 1,
        limit: 60,
        remaining: 59,
        reset: 1_696_809_601,
      },
    ]);
    expect(JSON.parse(denialOf(closed, 'application/problem+json')?.body ?? '')).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
      status: 503,
    });
    expect(denialOf({ ...closed, allowed: true }, undefined)).toBeUndefined();
  });

  test('is none where the call is allowed', () => {
    expect(denialOf(decisionOf(state()), undefined)).toBeUndefined();
  });

  test.each([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/*', false],
    ['application/json', false],
    ['application/problem+json', true],
    ['Application/Problem+JSON;charset=utf-8', true],
    ['application/problem+json, application/json', true],
    ['application/problem+json;q=0.5, application/json', false],
    ['application/problem+json;q=0.5, application/*;q=0.4, */*', true],
    ['application/problem+json;q=0.9, */*;q=0.8', true],
    ['application/problem+json;q=0', false],
    ['application/problem+json;q=x', false],
    ['text/html, application/problem+json', true],
  ])('Accept %p asks for problem details: %p', (accept, wanted) => {
    expect(wantsProblem(accept)).toBe(wanted);
  });
});
