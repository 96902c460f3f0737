import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { createIdentify } from '../../src/http/identify.ts';

function requestWith(headers: Record<string, string>, remoteAddress?: string): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

// SHA-256 of "secret".
const sha256 = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';
const byKey = createIdentify([{ id: 'ada', sha256 }]);

test.each([
  ['Bearer secret', 'ada'],
  ['bearer   secret ', 'ada'],
  ['Bearer Secret', undefined],
  ['Bearer secret secret', undefined],
  ['Basic secret', undefined],
  ['Bearer ', undefined],
])('authorization %j is %s', (authorization, id) => {
  expect(byKey(requestWith({ authorization }))?.principal.id).toBe(id);
});

test('what a request says of itself identifies nobody', () => {
  expect(byKey(requestWith({ 'x-user-id': 'ada', from: 'ada' }, '10.0.0.1'))).toBeUndefined();
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8::1', '2001:db8::1'],
  [undefined, 'unknown'],
])('without keys the address %s identifies', (address, id) => {
  expect(createIdentify([])(requestWith({ 'x-forwarded-for': '1.2.3.4' }, address))).toEqual({
    principal: { kind: 'address', id },
  });
});

test('RL11: tier and tenant are those of the key, whatever the request says', () => {
  const identify = createIdentify([{ id: 'ada', sha256, tier: 'gold', tenant: 'acme' }]);
  const headers = { authorization: 'Bearer secret', 'x-tier': 'platinum', 'x-tenant': 'other' };
  expect(identify(requestWith(headers))).toEqual({
    principal: { kind: 'api_key', id: 'ada' },
    tier: 'gold',
    tenant: 'acme',
  });
});
