/** The header fields that tell a client about a decision, in the dialect that was asked for. */
import type { Decision } from '../decision.ts';
import { rateLimitHeaders } from './headers.ts';
import { type RateLimitFieldOptions, rateLimitFields } from './ietf.ts';

/** `prd`: `X-RateLimit-*`. `ietf`: `RateLimit-Policy` and `RateLimit`. `Retry-After` comes with either. */
export type FieldDialect = 'prd' | 'ietf' | 'both';

export function fieldsOf(
  decision: Decision,
  dialect: FieldDialect,
  options?: RateLimitFieldOptions,
): readonly (readonly [name: string, value: string])[] {
  const prd = Object.entries(rateLimitHeaders(decision));
  if (dialect === 'prd') return prd;
  const own = dialect === 'both' ? prd : prd.filter(([name]) => name === 'Retry-After');
  return [...Object.entries(rateLimitFields(decision, options)), ...own];
}

/** The value of a field after one more limiter on the way said its own: lists grow, of anything else the last word counts. */
export function joined(name: string, before: string | null | undefined, value: string): string {
  return name.startsWith('RateLimit') && before != null && before !== '' ? `${before}, ${value}` : value;
}
