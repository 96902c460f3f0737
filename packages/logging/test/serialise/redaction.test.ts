import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../../src/index.ts';
import { memoryBackend } from '../support/memory-backend.ts';

describe('redaction', () => {
  test('hides the values of secret keys at any depth, in lists and maps, in any spelling', () => {
    const backend = memoryBackend();
    createLogger({ backend }).info('call', {
      password: 'S3CRET',
      headers: { Authorization: 'Bearer S3CRET', 'x-api-key': 'S3CRET', 'set-cookie': ['S3CRET'] },
      accounts: [{ accessToken: 'S3CRET', refresh_token: 'S3CRET', clientSecret: { value: 'S3CRET' } }],
      map: new Map([['private_key', 'S3CRET']]),
    });
    expect(backend.written[0]?.line).not.toContain('S3CRET');
    expect(backend.lines()[0]).toMatchObject({ headers: { Authorization: '[redacted]' } });
  });

  test('leaves what only looks alike: counts of tokens, ids of keys', () => {
    const backend = memoryBackend();
    const fields = { input_tokens: 3, maxTokens: 4, tokens: 5, key_id: 'k', keyboard: 'us', secretary: 'Ann' };
    createLogger({ backend }).info('call', fields);
    expect(backend.lines()[0]).toMatchObject(fields);
  });

  test('takes keys of your own, whatever their spelling, and can be switched off', () => {
    const backend = memoryBackend();
    createLogger({ backend, redact: ['social_security'] }).info('call', { socialSecurity: '078', password: 'p' });
    createLogger({ backend, redact: false }).info('call', { password: 'p' });
    const [own, off] = backend.lines();
    expect(own).toMatchObject({ socialSecurity: '[redacted]', password: '[redacted]' });
    expect(off).toMatchObject({ password: 'p' });
  });

  test('an empty value shows that there was none', () => {
    const backend = memoryBackend();
    createLogger({ backend }).info('call', { token: null });
    expect(backend.lines()[0]).toMatchObject({ token: null });
  });
});
