import { requireOption } from '@sage-adk/core';

/**
 * Where spans are sent: an address without a path is that of a collector and gets `/v1/traces`, any other is taken as it is.
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function tracesUrl(endpoint: string): string {
  requireOption('endpoint', endpoint, 'an http or https URL', isHttpUrl);
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
