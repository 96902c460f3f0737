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
