import { wordIn } from '../bag.ts';
import type { Reason } from '../classification.ts';
import type { ErrorFacts } from '../facts.ts';

/** Codes of Node, undici and the drivers. */
const reasonByCode: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'network',
  ECONNRESET: 'network',
  EPIPE: 'network',
  ENETUNREACH: 'network',
  EHOSTUNREACH: 'network',
  UND_ERR_SOCKET: 'network',
  UND_ERR_CONNECT_TIMEOUT: 'network',
  CONNECTION_CLOSED: 'network',
  CONNECTION_DESTROYED: 'network',
  HPE_INVALID_CONSTANT: 'network',
  ETIMEDOUT: 'timeout',
  CONNECT_TIMEOUT: 'network',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  EAI_AGAIN: 'dns',
  ENOTFOUND: 'config',
  ERR_INVALID_URL: 'config',
  CONNECTION_ENDED: 'config',
};

/** Classes that name what happened where no code does. */
const reasonByName: Readonly<Record<string, Reason>> = {
  APIConnectionTimeoutError: 'timeout',
  SocketTimeoutError: 'timeout',
  ConnectionTimeoutError: 'network',
  SocketClosedUnexpectedlyError: 'network',
  ClientOfflineError: 'network',
  DisconnectsClientError: 'network',
  ClientClosedError: 'config',
};

/** What fetch cannot do however often it is asked, in its own words. */
const neverAgain: ReadonlySet<string> = new Set(['bad port', 'unknown scheme', 'redirect count exceeded']);

/** What became of the connection. */
export function byConnection({ code, name, message, root }: ErrorFacts): Reason | undefined {
  if (code !== undefined && /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code))
    return 'config';
  const known = wordIn(reasonByCode, code) ?? wordIn(reasonByName, name);
  if (known !== undefined) return known;
  if (neverAgain.has(root)) return 'config';
  // What fetch throws where the socket said nothing more: before the answer, or within it.
  return name === 'TypeError' && /^(fetch failed|terminated)$/.test(message) ? 'network' : undefined;
}
