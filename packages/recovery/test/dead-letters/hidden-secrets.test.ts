import { describe, expect, test } from '@jest/globals';
import { leastOf } from '@tooling/services';
import fc from 'fast-check';
import { createHideSecrets } from '../../src/dead-letters/hidden-secrets.ts';
import { createMemoryDeadLetters, type DeadLetter, type DeadLetterStore } from '../../src/dead-letters/index.ts';

const hide = createHideSecrets([]);
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.split('');
const secret = fc.string({ unit: fc.constantFrom(...letters), minLength: 24, maxLength: 48 });

async function only(store: DeadLetterStore): Promise<DeadLetter> {
  for await (const letter of store.query()) return letter;
  throw new Error('no letter');
}

describe('secrets in the texts of an error', () => {
  test.each([
    ['Incorrect API key provided: sk-proj-abc_DEF-0123456789.', 'Incorrect API key provided: [redacted].'],
    ['provided: sk-abcde***************wxyz. You can', 'provided: [redacted]. You can'],
    ['key sk-ant-api03-AAAA_bbbb-CCCC1234 is invalid', 'key [redacted] is invalid'],
    ['?key=AIzaSyA-1234567890abcdefghijklmnopqrstu&alt=sse', '?key=[redacted]&alt=sse'],
    ['Authorization: Bearer abc.def~ghi+jkl/mno=', 'Authorization: Bearer [redacted]'],
    ['authorization: Basic dXNlcjpwYXNzd29yZA==', 'authorization: Basic [redacted]'],
    ['connect redis://:hunter2@10.0.0.1:6379/0', 'connect redis://:[redacted]@10.0.0.1:6379/0'],
    ['connect postgres://sage:p@ss#w?rd@db:5432/agent', 'connect postgres://sage:[redacted]@db:5432/agent'],
    ['host=db user=sage password=hunter2 dbname=agent', 'host=db user=sage password=[redacted] dbname=agent'],
    ['{"user":"ada","apiKey":"hunter2"}', '{"user":"ada","apiKey":"[redacted]"}'],
    [
      String.raw`{"body":"{\"client_secret\": \"hunter2\"}"}`,
      String.raw`{"body":"{\"client_secret\": \"[redacted]\"}"}`,
    ],
    ['x-api-key: hunter22', 'x-api-key: [redacted]'],
    ['401: X-Api-Key hunter22, sent', '401: X-Api-Key [redacted], sent'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.abc-def expired', 'jwt [redacted] expired'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '[redacted]'],
    ['pushed with ghp_0123456789abcdefghijABCDEFGHIJ012345', 'pushed with [redacted]'],
  ])('%s', (text, expected) => {
    expect(hide(text)).toBe(expected);
    expect(hide(expected)).toBe(expected);
  });

  test.each([
    'task-scheduler-of-the-whole-day failed at risk-assessment-step-one',
    'Unexpected token } in JSON at position 4',
    'password: Required; token: must be a text',
    'The bearer token is gone; basic authentication is off',
    'fetch http://127.0.0.1:8080/users/ada@example.org failed',
    'at run (file:///srv/agent/node_modules/openai/src/client.ts:123:45)',
    'max_tokens=4096 is above the limit',
    'header X-Api-Key is missing, x-auth-token expired',
    'x-api-key 401: the api-key authentication failed',
  ])('is left as it is: %s', (text) => {
    expect(hide(text)).toBe(text);
  });

  test('a key of a known shape is hidden wherever it stands', () => {
    const shaped = fc.constantFrom<[string, string]>(
      ['sk-', ''],
      ['sk-ant-api03-', ''],
      ['sk-proj-', ''],
      ['AIza', ''],
      ['Bearer ', ''],
      ['https://user:', '@host/path'],
    );
    const around = fc.string({ unit: fc.constantFrom(' ', '\n', '"', "'", '(', ')', ':', ',', '=', '{', '}', 'x ') });
    fc.assert(
      fc.property(shaped, secret, around, around, ([before, after], value, left, right) => {
        expect(hide(`${left}${before}${value}${after}${right}`)).not.toContain(value);
      }),
    );
  });

  test('those that are named are hidden whatever their shape, also as they stand in JSON', () => {
    const known = createHideSecrets(['correct horse', 'correct horse "battery"']);
    expect(known('no correct horse "battery" here, {"a":"correct horse \\"battery\\""}, correct horses')).toBe(
      'no [redacted] here, {"a":"[redacted]"}, [redacted]s',
    );
    expect(() => createHideSecrets(['short'])).toThrow('at least 6 characters');
  });

  test('the work grows with the text, not with its square', async () => {
    const hostile = [
      '://a:',
      'sk-',
      'eyJ',
      'Bearer ',
      'Basic a',
      '"password',
      '-----BEGIN ',
      'token=',
      'a@',
      'api-key: ',
    ];
    const cpuOf = (text: string) => {
      const before = process.cpuUsage();
      hide(text);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    for (const piece of hostile) {
      hide(piece.repeat(2_000));
      // Sixteen times the text would be 256 times the work.
      const times = await leastOf(100, async () => {
        const small = cpuOf(piece.repeat(20_000));
        return cpuOf(piece.repeat(320_000)) / Math.max(small, 2_000);
      });
      expect([piece, times < 100]).toEqual([piece, true]);
    }
  });
});

describe('a dead letter', () => {
  const key = 'sk-live-0123456789abcdef';
  const failure = () => new Error(`Incorrect API key provided: ${key}.`, { cause: new Error(key) });

  test('is kept without the secrets of its error; its payload and headers are what the caller put', async () => {
    await using store = createMemoryDeadLetters({ secrets: ['open sesame'] });
    const error = new TypeError(`${failure().message} open sesame`);
    await store.put({ source: 'inbox', payload: { key }, headers: { authorization: `Bearer ${key}` }, error });
    const letter = await only(store);
    expect(letter.error).toMatchObject({
      name: 'TypeError',
      message: 'Incorrect API key provided: [redacted]. [redacted]',
    });
    expect(letter.error.stack).toMatch(/^TypeError: Incorrect API key provided: \[redacted\]\. \[redacted\]\n +at /);
    expect([letter.payload, letter.headers]).toMatchObject([{ key }, { authorization: `Bearer ${key}` }]);
  });

  test('is kept without those of later failures, of what is no error, and of a text that is cut within one', async () => {
    await using store = createMemoryDeadLetters();
    await store.put({ source: 'inbox', payload: 1, error: { status: 401, url: `https://ada:${key}@host` } });
    expect((await only(store)).error.message).toBe('{"status":401,"url":"https://ada:[redacted]@host"}');
    for (const error of [failure(), `no ${key}`, new Error('x'.repeat(3_990) + ` ${key}`)]) {
      const [claim] = await store.claim();
      if (claim === undefined) throw new Error('nothing is due');
      await store.nack(claim, { error });
      expect(JSON.stringify((await only(store)).error)).not.toContain('sk-live');
    }
  });

  test('redact sees the error without them, and says what else goes', async () => {
    const seen: string[] = [];
    await using store = createMemoryDeadLetters({
      redact(draft) {
        seen.push(draft.error.message);
        return { ...draft, payload: null };
      },
    });
    await store.put({ source: 'inbox', payload: { key }, error: failure() });
    expect(seen).toEqual(['Incorrect API key provided: [redacted].']);
    expect((await only(store)).payload).toBeNull();
  });

  test('failures that differ in their key alone are of one kind', async () => {
    await using store = createMemoryDeadLetters();
    const refused = (url: string) => new Error(`cannot reach ${url}`, {});
    const errors = ['redis://:one@host', 'redis://:other@host'].map(refused);
    for (const error of errors) await store.put({ source: 'inbox', payload: 1, error });
    const prints: string[] = [];
    for await (const { fingerprint } of store.query()) prints.push(fingerprint);
    expect(new Set(prints).size).toBe(1);
  });
});
