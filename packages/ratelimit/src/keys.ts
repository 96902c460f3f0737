/** Who a limit is kept for, as a short string that holds no secret. */
import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type LimitSubject, type Principal, requireOption, requireWhole } from '@sage-adk/core';
import type { Scope } from './rule.ts';

const longestKey = 64;
// Keys that are made here begin with it, and ids that begin with it are hashed: no user id can pass for another kind of key.
const mark = '|';
const markCode = 0x7c;
/** How an IPv4 address that is written as IPv6 begins. */
const mappedGroups = '0:0:0:0:0:65535';

/** The key of a subject in a scope, at most 75 characters; undefined where the scope says nothing about the subject. */
export function scopeKey(scope: Scope, subject: LimitSubject): string | undefined {
  if (scope === 'global') return '';
  const id = idIn(scope, subject);
  if (typeof id === 'string') return ownKey(id);
  requireObject('subject', subject);
  if (id !== undefined)
    refuse(typeof scope === 'string' ? `subject.${scope}` : 'scope(subject)', id, 'a string, or undefined');
  return scope === 'user' ? principalKey(subject.principal) : undefined;
}

/** Throws `SAGE_CORE_INVALID_OPTION` for what is no object. It tells the type alone: a text may be an API key. */
export function requireObject(option: string, value: object | null): void {
  const type = value && typeof value;
  if (type !== 'object') refuse(option, type, 'an object');
}

function refuse(option: string, value: unknown, expected: string): void {
  requireOption(option, value, expected, () => false);
}

/** Each by its name, which is faster to read than a name that is computed. */
function idIn(scope: Exclude<Scope, 'global'>, subject: LimitSubject): string | undefined {
  try {
    switch (scope) {
      case 'user':
        return subject.user;
      case 'provider':
        return subject.provider;
      case 'tenant':
        return subject.tenant;
      case 'endpoint':
        return subject.endpoint;
      default:
        return scope(subject);
    }
  } catch (error) {
    // Here and not before, where it would cost every decision.
    requireObject('subject', subject);
    throw error;
  }
}

/**
 * An id for an API key: the first 128 bits of its SHA-256 in base64url, 22 characters. The key cannot be read from it, so it may be stored.
 *
 * For API keys, which are long and random; not for passwords.
 */
export function hashApiKey(apiKey: string): string {
  return hash('sha256', apiKey, 'buffer').subarray(0, 16).toString('base64url');
}

/**
 * The key of a client's address. An IPv6 address stands for its whole network, since one client has many of them;
 * an IPv4 address stands for itself, also where it is written as IPv6. What is no address comes back as it is.
 *
 * @param ipv6PrefixBits how many leading bits tell clients apart, 32 to 128. @default 56
 */
export function addressKey(address: string, ipv6PrefixBits = 56): string {
  requireWhole('ipv6PrefixBits', ipv6PrefixBits, 32, 128);
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const groups = groupsOf(plain);
  if (groups.slice(0, 6).join(':') === mappedGroups) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.');
  }
  const network = groups.map((group, index) => (group & maskOf(ipv6PrefixBits - index * 16)).toString(16));
  return `${network.join(':')}/${ipv6PrefixBits}`;
}

function ownKey(id: string): string {
  if (id.length <= longestKey && id.charCodeAt(0) !== markCode) return id;
  return `${mark}long${mark}${hashApiKey(id)}`;
}

function principalKey(principal: Principal | undefined): string | undefined {
  if (principal === undefined) return undefined;
  requireObject('subject.principal', principal);
  const { kind, id } = principal;
  if (typeof kind !== 'string') refuse('subject.principal.kind', kind, 'a string');
  if (typeof id !== 'string') refuse('subject.principal.id', id, 'a string');
  const shown = kind === 'api_key' ? hashApiKey(id) : ownKey(kind === 'address' ? addressKey(id) : id);
  return `${mark}${kind}${mark}${shown}`;
}

/** The eight groups of 16 bits of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = [], tail] = hex.split('::').map((side) => (side === '' ? [] : side.split(':')));
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(missing).fill('0'), ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

function maskOf(bits: number): number {
  return bits <= 0 ? 0 : bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff;
}
