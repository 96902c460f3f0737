/** Hands letters to a URL. */
import type { RedriveHandler } from '../redrive.ts';

const longestAnswerMs = 20_000;

/** What says how the message once came, not what it is: the post has its own connection, length and encoding. */
const ofTransport = [
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Posts the payload as JSON. Headers of the letter go along, and the key by which the target knows a second try. A redirect is a failure: to follow it would
 * mostly mean a GET without the payload, and the 200 of a login page.
 */
export function postTo(url: string): RedriveHandler {
  return async ({ payload, headers }, { idempotencyKey, signal }) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: headersOf(headers, idempotencyKey),
      body: JSON.stringify(payload),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestAnswerMs)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw Object.assign(new Error(`answered ${response.status}`), { status: response.status });
  };
}

function headersOf(kept: Readonly<Record<string, string>>, idempotencyKey: string): Headers {
  const headers = new Headers(kept);
  for (const name of ofTransport) headers.delete(name);
  headers.set('content-type', 'application/json');
  headers.set('idempotency-key', idempotencyKey);
  return headers;
}
