import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '@sage-adk/core';

/** Who sent a request, and what is known of them. */
export interface Identity {
  readonly principal: Principal;
  readonly tenant?: string | undefined;
  readonly tier?: string | undefined;
}

/** A key that may call the agent: who it belongs to, and its SHA-256 in hex. */
export interface ApiKey extends Pick<Identity, 'tenant' | 'tier'> {
  readonly id: string;
  readonly sha256: string;
}

/** Who sent a request, or undefined where a key is needed and none of ours came. */
export type Identify = (request: IncomingMessage) => Identity | undefined;

/** With keys, only they identify; without, the address does. What a request says of itself never does. */
export function createIdentify(apiKeys: readonly ApiKey[]): Identify {
  if (apiKeys.length === 0) return (request) => ({ principal: { kind: 'address', id: addressOf(request) } });
  const known = apiKeys.map(({ id, sha256, tenant, tier }) => ({
    digest: Buffer.from(sha256, 'hex'),
    identity: { principal: { kind: 'api_key', id }, tenant, tier } as const,
  }));
  return (request) => {
    const key = keyOf(request);
    if (key === undefined) return undefined;
    const digest = createHash('sha256').update(key).digest();
    // Every key is compared, whichever fits: the time tells nothing.
    let found: Identity | undefined;
    for (const candidate of known) if (timingSafeEqual(digest, candidate.digest)) found = candidate.identity;
    return found;
  };
}

function keyOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const header = headers['x-api-key'];
  return bearer ?? (typeof header === 'string' ? header : undefined);
}

function addressOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
