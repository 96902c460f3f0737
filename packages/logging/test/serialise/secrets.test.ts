import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLogger } from '../../src/index.ts';
import { memoryBackend } from '../support/memory-backend.ts';

test.each(['json', 'text'] as const)('a registered secret appears nowhere in a line of %s', (format) => {
  const backend = memoryBackend();
  const logger = createLogger({ backend, format, secrets: ['sk-live-123456'] });
  logger.hide('line\n"two" of a key');
  const child = logger.child({ url: 'https://u:sk-live-123456@host/' });
  child.error('using sk-live-123456', {
    err: new Error('refused: line\n"two" of a key', { cause: new Error('sk-live-123456') }),
    'header sk-live-123456': [{ deep: 'Bearer sk-live-123456' }],
  });
  const line = backend.written[0]?.line ?? '';
  expect(line).not.toMatch(/sk-live|two/);
  expect(line).toContain('https://u:[redacted]@host/');
});

test('whatever the secret is, a line stays valid JSON without it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme-ascii' }), (secret) => {
      const backend = memoryBackend();
      const logger = createLogger({ backend, secrets: [secret] });
      logger.info(`<${secret}>`, { n: 12_345_678, text: secret });
      expect(backend.lines()[0]).toMatchObject({ msg: '<[redacted]>', text: '[redacted]' });
    }),
    { numRuns: 100 },
  );
});

test('a number that is a secret is hidden; a secret too short to tell is refused', () => {
  const backend = memoryBackend();
  createLogger({ backend, secrets: ['12345678'] }).info('pin', { pin: 12_345_678 });
  expect(backend.lines()[0]).toMatchObject({ pin: '[redacted]' });
  expect(() => createLogger({ backend, secrets: ['abc'] })).toThrow('secret');
});

test.each(['json', 'text'] as const)(
  'a secret that the cut of a long text leaves a part of is hidden, in %s',
  (format) => {
    const secret = 'sk-live-1234567890abcdef';
    for (const left of [6, 12, secret.length - 1, secret.length]) {
      const backend = memoryBackend();
      const logger = createLogger({ backend, format, secrets: [secret] });
      const text = 'x'.repeat(16_384 - left) + secret;
      logger.info(text, { text, deep: [text], [text]: 1, err: new Error(text) });
      expect(backend.written[0]?.line).toContain('x[redacted]');
      expect(backend.written[0]?.line).not.toContain('sk-liv');
    }
  },
);

test.each(['json', 'text'] as const)(
  'a secret with line breaks and quotes is found in texts of JSON, in %s',
  (format) => {
    const secret = '-----BEGIN KEY-----\nMIIabc"x"\n-----END KEY-----';
    const backend = memoryBackend();
    const logger = createLogger({ backend, format, secrets: [secret] });
    const body = JSON.stringify({ key: secret });
    logger.info(`body: ${body}`, { body, call: JSON.stringify({ arguments: body }) });
    expect(backend.written[0]?.line).not.toContain('MII');
  },
);

test.each([['1234'], [undefined], [42]])(
  'an error about a secret such as %j says what is wanted, and not what it was',
  (secret) => {
    const logger = createLogger({ backend: memoryBackend() });
    const message = 'The option secret is "[redacted]"; it must be a text of at least 6 characters.';
    expect(() => logger.hide(secret as string)).toThrow(
      expect.objectContaining({ message, code: 'SAGE_CORE_INVALID_OPTION' }),
    );
  },
);
