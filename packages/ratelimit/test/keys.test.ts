import { describe, expect, test } from '@jest/globals';
import type { LimitSubject } from '@sage-adk/core';
import * as fc from 'fast-check';
import { addressKey, hashApiKey } from '../src/index.ts';
import { scopeKey } from '../src/keys.ts';

describe('the key of a user', () => {
  const keyOf = (subject: LimitSubject): string | undefined => scopeKey('user', subject);

  test('is the user id, or the principal where there is none', () => {
    expect(keyOf({ user: 'ada', principal: { kind: 'did', id: 'did:web:a' } })).toBe('ada');
    expect(keyOf({ principal: { kind: 'did', id: 'did:web:a' } })).toBe('|did|did:web:a');
    expect(keyOf({})).toBeUndefined();
  });

  test('RL8: never holds an API key, only 128 bits of its hash', () => {
    // SHA-256 of "abc" begins with ba7816bf8f01cfea414140de5dae2223.
    expect(hashApiKey('abc')).toBe(Buffer.from('ba7816bf8f01cfea414140de5dae2223', 'hex').toString('base64url'));
    expect(keyOf({ principal: { kind: 'api_key', id: 'abc' } })).toBe(`|api_key|${hashApiKey('abc')}`);
  });

  test('puts the addresses of one IPv6 network together', () => {
    const keyOfAddress = (id: string) => keyOf({ principal: { kind: 'address', id } });
    expect(keyOfAddress('2001:db8:0:1201::1')).toBe(keyOfAddress('2001:db8:0:12ff::2'));
    expect(keyOfAddress('2001:db8:0:1201::1')).not.toBe(keyOfAddress('2001:db8:0:1301::1'));
  });

  test('is short, however long the id', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), fc.constantFrom('api_key', 'did', 'address', 'jwt'), (id, kind) => {
        expect(keyOf({ user: id })?.length).toBeLessThanOrEqual(75);
        expect(keyOf({ principal: { kind, id } })?.length).toBeLessThanOrEqual(75);
      }),
    );
  });

  test('of a user id never passes for that of a principal', () => {
    const did = keyOf({ principal: { kind: 'did', id: 'did:web:a' } });
    expect(keyOf({ user: did ?? '' })).not.toBe(did);
  });
});

describe('the key of an address', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7%eth0', '203.0.113.7'],
    ['2001:db8:aaaa:bbcc:dddd::1', '2001:db8:aaaa:bb00:0:0:0:0/56'],
    ['::1', '0:0:0:0:0:0:0:0/56'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:0/56'],
    ['64:ff9b::203.0.113.7', '64:ff9b:0:0:0:0:0:0/56'],
    ['1:2:3:4:5:6:7:8', '1:2:3:0:0:0:0:0/56'],
    ['not an address', 'not an address'],
    ['not%an address', 'not%an address'],
  ])('%s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  test('of IPv4 is the same however it is written as IPv6, and another for each', () => {
    fc.assert(
      fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)), (bytes) => {
        const dotted = bytes.join('.');
        const hex = Buffer.from(bytes).toString('hex');
        const spelled = [dotted, hex.replace(/(.{4})/, '$1:')].flatMap((end) => [
          `::ffff:${end}`,
          `0:0::0:ffff:${end}`,
        ]);
        expect(spelled.map((address) => addressKey(address))).toEqual(spelled.map(() => dotted));
      }),
    );
  });

  test('takes as many bits as asked', () => {
    expect(addressKey('64:ff9b::203.0.113.7', 128)).toBe('64:ff9b:0:0:0:0:cb00:7107/128');
    expect(addressKey('2001:db8:aaaa:bbcc::', 48)).toBe('2001:db8:aaaa:0:0:0:0:0/48');
    expect(() => addressKey('::1', 8)).toThrow('ipv6PrefixBits is 8');
  });

  test('is the same for every spelling of an address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(addressKey(addressKey(address, 128).replace('/128', ''), 64)).toBe(addressKey(address, 64));
      }),
    );
  });
});
