import type { IncomingHttpHeaders } from 'node:http';
import type { LimitSubject } from '@sage-adk/core';
import { forwardedAddress, type ForwardedField } from './forwarded.ts';

/** What is read of a request; that of `node:http` fits. */
export interface RequestFrom {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * The address of the client that sent a request: the peer of the connection, unless proxies are trusted.
 *
 * @param trustedProxies how many proxies of yours every request passes. The client is then read from `field`, counted from its end, which your
 * own proxies wrote; what stands before it anyone may have made up. @default 0, no field is read
 * @param field what your proxies write. @default 'x-forwarded-for'
 */
export function clientAddress(
  request: RequestFrom,
  trustedProxies = 0,
  field: ForwardedField = 'x-forwarded-for',
): string {
  const value = [request.headers[field] ?? ''].flat().join(',');
  return clientOf(request.socket.remoteAddress, value, trustedProxies, field);
}

/** {@link clientAddress} of the parts of a request; '' where not even the peer is known. */
export function clientOf(
  peer: string | undefined,
  forwarded: string | undefined,
  trustedProxies: number,
  field: ForwardedField,
): string {
  const client = trustedProxies === 0 ? undefined : forwardedAddress(field, forwarded ?? '', trustedProxies);
  return client ?? peer ?? '';
}

/** A client who is known by address alone; the scope `user` then goes by the address, an IPv6 one by its /56 network. */
export function addressSubject(address: string): LimitSubject {
  return { principal: { kind: 'address', id: address } };
}
