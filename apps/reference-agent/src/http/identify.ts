import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '@sage-adk/core';

/** A key that may call the agent: who it belongs to, and its SHA-256 in hex. */
export interface ApiKey {
  readonly id: string;
  readonly sha256: string;
}

/** Who sent a request, or undefined where a key is needed and none of ours came. */
export type Identify = (request: IncomingMessage) => Principal | undefined;

/** With keys, only they identify; without, the address does. What a request says of itself never does. */
export function createIdentify(apiKeys: readonly ApiKey[]): Identify {
  if (apiKeys.length === 0) return (request) => ({ kind: 'address', id: addressOf(request) });
  const known = apiKeys.map(({ id, sha256 }) => ({ id, digest: Buffer.from(sha256, 'hex') }));
  return (request) => {
    const key = keyOf(request);
    if (key === undefined) return undefined;
    const digest = createHash('sha256').update(key).digest();
    // Every key is compared, whichever fits: the time tells nothing.
    let id: string | undefined;
    for (const candidate of known) if (timingSafeEqual(digest, candidate.digest)) id = candidate.id;
    return id === undefined ? undefined : { kind: 'api_key', id };
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
