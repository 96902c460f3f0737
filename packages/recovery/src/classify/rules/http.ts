import type { Reason } from '../classification.ts';

/** @see RFC 9110, section 15; RFC 4918 (423), 6585 (429), 8470 (425); the others are those of nginx, Cloudflare and Anthropic */
const reasonByStatus: Readonly<Record<number, Reason>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'not_found',
  413: 'context_length',
  423: 'conflict',
  425: 'too_early',
  429: 'rate_limited',
  499: 'caller',
  500: 'server',
  501: 'unsupported',
  502: 'server',
  503: 'overloaded',
  504: 'timeout',
  505: 'unsupported',
  522: 'timeout',
  524: 'timeout',
  529: 'overloaded',
};

/** What a status of HTTP means where the body says nothing more. */
export function byStatus(status: number | undefined): Reason | undefined {
  if (status === undefined) return undefined;
  return reasonByStatus[status] ?? (status >= 500 ? 'server' : status >= 400 ? 'invalid' : undefined);
}
