/** Errors that a provider, or a proxy in front of it, answers with. */
export const errorNames = [
  'invalid_request',
  'authentication',
  /** The credit is used up: waiting does not help. */
  'quota',
  'permission',
  /** No such model. */
  'not_found',
  'timeout',
  'conflict',
  'too_large',
  'context_length',
  'content_policy',
  'rate_limit',
  'server_error',
  'unavailable',
  'overloaded',
  /** A page of HTML from a proxy. */
  'bad_gateway',
  /** A page of HTML from a proxy. */
  'gateway_timeout',
] as const;

export type ErrorName = (typeof errorNames)[number];

const usual: Readonly<Record<number, ErrorName>> = {
  400: 'invalid_request',
  401: 'authentication',
  402: 'quota',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'too_large',
  429: 'rate_limit',
  500: 'server_error',
  502: 'bad_gateway',
  503: 'unavailable',
  504: 'gateway_timeout',
  529: 'overloaded',
};

/** What a status mostly means. */
export function errorOfStatus(status: number): ErrorName {
  return usual[status] ?? (status < 500 ? 'invalid_request' : 'server_error');
}
