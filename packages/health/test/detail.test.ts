import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../src/detail.ts';

const secret = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/);
const forms: readonly ((text: string) => string)[] = [
  (text) => `connect postgres://user:${text}@db:5432/app refused`,
  (text) => `redis://:${text}@cache:6379 timed out`,
  (text) => `401: Authorization: Bearer ${text}`,
  (text) => `401: Authorization: ApiKey ${text}`,
  (text) => `{"authorization":"Token ${text}"}`,
  (text) => `Incorrect API key provided: sk-${text}`,
  (text) => `{"api_key": "${text}", "status": 401}`,
  (text) => `password=${text} host=db`,
  (text) => `OPENAI_API_KEY=${text}`,
  (text) => `x-api-key: ${text}`,
  (text) => `401: X-Api-Key ${text}1 is not known`,
  (text) => `sent x-auth-token ${text}${text}`,
];

test('a detail holds no secret in a form that drivers and SDKs quote', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...forms), (text, quote) => {
      expect(withoutSecrets(quote(text))).not.toContain(text);
    }),
  );
});

test('a detail keeps what an operator needs, and is never longer than 200 characters', () => {
  expect(withoutSecrets('connect ECONNREFUSED 10.0.0.7:5432')).toBe('connect ECONNREFUSED 10.0.0.7:5432');
  expect(withoutSecrets('connect postgres://user:s@c/ret@db:5432 refused')).toBe(
    'connect postgres://***@db:5432 refused',
  );
  for (const text of [
    'header X-Api-Key is missing, x-auth-token expired',
    'X-Api-Key header required, the api-key authentication failed with 401',
    'x-api-key 401',
    'no api keys for 10.0.0.7:5432',
  ])
    expect(withoutSecrets(text)).toBe(text);
  expect(withoutSecrets('x'.repeat(10_000))).toHaveLength(200);
});
