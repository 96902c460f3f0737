import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** What is read of a request; that of `node:http` fits. */
export interface RequestFrom {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * The address of the client that sent a request: the peer of the connection, unless proxies are trusted.
 *
 * @param trustedProxies how many proxies of yours every request passes. The client is then read from `X-Forwarded-For`, counted from its end, which your
 * own proxies wrote; what stands before it anyone may have made up. @default 0, the header is not read
 */
export function clientAddress(request: RequestFrom, trustedProxies = 0): string {
  const peer = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0) return peer;
  const forwarded = [request.headers['x-forwarded-for'] ?? ''].flat().join(',').split(',');
  const client = forwarded.at(-trustedProxies)?.trim() ?? '';
  return isIP(client) === 0 ? peer : client;
}
