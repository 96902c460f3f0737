import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addressSubject, clientAddress } from '../../src/http/address.ts';
import { forwardedAddress } from '../../src/http/forwarded.ts';
import type { RequestFrom } from '../../src/http/node.ts';
import { createRateLimiter } from '../../src/index.ts';

describe('the address of a client behind proxies', () => {
  test.each([
    ['198.51.100.1', 1, '198.51.100.1'],
    ['198.51.100.1:4711', 1, '198.51.100.1'],
    ['[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['[2001:db8::1]', 1, '2001:db8::1'],
    ['2001:db8::1', 1, '2001:db8::1'],
    ['192.0.2.66, 198.51.100.1 ,10.0.0.2', 2, '198.51.100.1'],
    ['198.51.100.1', 2, undefined],
    ['198.51.100.1,', 1, undefined],
    ['256.1.1.1', 1, undefined],
    ['unknown', 1, undefined],
  ])('X-Forwarded-For %p behind %p is %p', (value, proxies, address) => {
    expect(forwardedAddress('x-forwarded-for', value, proxies)).toBe(address);
  });

  test.each([
    ['for=198.51.100.1', 1, '198.51.100.1'],
    ['For="[2001:db8:cafe::17]:4711"', 1, '2001:db8:cafe::17'],
    ['proto=https;for=198.51.100.1:80;by=203.0.113.43', 1, '198.51.100.1'],
    ['for=192.0.2.66, for=198.51.100.1;proto=http, for=10.0.0.2', 2, '198.51.100.1'],
    ['host="a;for=192.0.2.66, for=192.0.2.66";for=198.51.100.1', 1, '198.51.100.1'],
    ['host="a\\";for=192.0.2.66";for=198.51.100.1', 1, '198.51.100.1'],
    ['for=198.51.100.1;host="a, for=192.0.2.66\\""', 1, '198.51.100.1'],
    ['for="198\\.51.100.1"', 1, '198.51.100.1'],
    ['for=_hidden', 1, undefined],
    ['for=unknown', 1, undefined],
    ['proto=https', 1, undefined],
    ['for', 1, undefined],
    ['', 1, undefined],
  ])('Forwarded %p behind %p is %p', (value, proxies, address) => {
    expect(forwardedAddress('forwarded', value, proxies)).toBe(address);
  });

  test('is the peer of the connection where the field names no address, or another field is trusted', () => {
    const request: RequestFrom = {
      socket: { remoteAddress: '10.0.0.1' },
      headers: { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=_hidden' },
    };
    expect(clientAddress(request, 1, 'forwarded')).toBe('10.0.0.1');
    expect(clientAddress(request, 1)).toBe('198.51.100.1');
    expect(clientAddress({ socket: {}, headers: {} }, 1)).toBe('');
  });

  test('is what the own proxy wrote, whatever the client sent before it', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[",;\\= a-z.:0-9]*$/),
      fc.constantFrom('for="', 'for="a\\', '"', 'for=192.0.2.66,', '[', '\\"'),
    );
    fc.assert(
      fc.property(hostile, (sent) => {
        const own = 'for="198.51.100.1:4711";proto=https';
        expect(forwardedAddress('forwarded', `${sent}, ${own}`, 1)).toBe('198.51.100.1');
        expect(forwardedAddress('forwarded', `${sent}, ${own}, for=10.0.0.2`, 2)).toBe('198.51.100.1');
        expect(forwardedAddress('x-forwarded-for', `${sent}, 198.51.100.1`, 1)).toBe('198.51.100.1');
      }),
    );
  });

  test('RL8: stands for one client, an IPv6 one for its whole /56 network', async () => {
    const limiter = createRateLimiter({ rules: [{ name: 'user', scope: 'user', limit: 1, per: 'minute' }] });
    const asks = ['2001:db8::1', '2001:db8:0:ff::2', '2001:db8:0:100::1', '198.51.100.1', '::ffff:198.51.100.1'];
    const answers = asks.map((address) => limiter.checkSync(addressSubject(address)).allowed);
    expect(answers).toEqual([true, false, true, true, false]);
    await limiter.close();
  });
});
