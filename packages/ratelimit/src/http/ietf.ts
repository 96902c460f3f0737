/**
 * The fields `RateLimit-Policy` and `RateLimit`: every enforced rule as a policy, and what is left of it.
 *
 * Both are lists of strings with parameters (RFC 9651). A rule's name that no such string can hold is percent-encoded.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11
 */
import { createHmac } from 'node:crypto';
import type { Decision, RuleState } from '../decision.ts';

/** Options of {@link rateLimitFields}. */
export interface RateLimitFieldOptions {
  /**
   * Adds `pk`, which tells clients apart: 96 bits of an HMAC-SHA-256 of the rule's key. The key itself is never sent, and without the secret
   * nobody can find it by trying. Keep it over restarts, so that a client's `pk` stays the same. @default none, and no `pk`
   */
  readonly partitionSecret?: string | undefined;
  /** Wall-clock time that the decision was made at. @default now */
  readonly nowMs?: number;
}

/** The two fields, ready to be set; missing where there is nothing to say. */
export type RateLimitFields = Readonly<Partial<Record<'RateLimit-Policy' | 'RateLimit', string>>>;

/**
 * The policies that a decision went by, and what is left of each. Empty where no enforced rule applies.
 *
 * `RateLimit-Policy` names every rule with its limit `q`, the unit `qu` where it is not requests, the period `w` in seconds and, with a secret, `pk`.
 * `RateLimit` has what is left, `r`, and the seconds `t` for which it should do: until the quota is whole, and so long that `r / t` never exceeds
 * the policy's own rate. On a denial it names the rules that said no, and `t` is their wait, so none ends after `Retry-After`.
 */
export function rateLimitFields(
  decision: Decision,
  { partitionSecret, nowMs = Date.now() }: RateLimitFieldOptions = {},
): RateLimitFields {
  const policies = decision.rules.filter(({ mode, limit }) => mode === 'enforce' && Number.isFinite(limit));
  if (policies.length === 0) return {};
  const limits = decision.allowed ? policies : policies.filter(({ allowed }) => !allowed);
  const partition = (state: RuleState): string => (partitionSecret === undefined ? '' : pkOf(state, partitionSecret));
  return {
    'RateLimit-Policy': policies.map((state) => policyItem(state) + partition(state)).join(', '),
    ...(limits.length > 0 && {
      RateLimit: limits.map((state) => limitItem(state, nowMs) + partition(state)).join(', '),
    }),
  };
}

function policyItem({ rule, unit, limit, periodMs }: RuleState): string {
  const window = periodMs === undefined ? '' : `;w=${integer(Math.ceil(periodMs / 1_000))}`;
  return `${string(rule)};q=${integer(limit)}${unitOf(unit)}${window}`;
}

function limitItem(state: RuleState, nowMs: number): string {
  const seconds = state.allowed ? spreadSeconds(state, nowMs) : waitSeconds(state);
  return `${string(state.rule)};r=${integer(state.remaining)}${seconds === undefined ? '' : `;t=${integer(seconds)}`}`;
}

function spreadSeconds(
  { unit, limit, remaining, resetAtMs, periodMs = 0 }: RuleState,
  nowMs: number,
): number | undefined {
  // Slots come back when calls end, not at any time.
  if (unit === 'concurrency') return undefined;
  const paceMs = limit > 0 ? (remaining * periodMs) / limit : 0;
  return Math.ceil(Math.max(resetAtMs - nowMs, paceMs) / 1_000);
}

function waitSeconds({ retryAfterMs }: RuleState): number | undefined {
  return retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

// The registry has no unit for tokens or money. A client must not take them for requests, the default, so they are named all the same.
function unitOf(unit: string): string {
  if (unit === 'requests') return '';
  return `;qu=${string(unit === 'concurrency' ? 'concurrent-requests' : unit)}`;
}

function pkOf({ scope, key }: RuleState, secret: string): string {
  if (key === '') return '';
  const digest = createHmac('sha256', secret).update(`${scope}\0${key}`).digest().subarray(0, 12);
  return `;pk=:${digest.toString('base64')}:`;
}

/** A String of RFC 9651, section 3.3.3. */
function string(text: string): string {
  const safe = text.toWellFormed().replaceAll(/[^ -$&-~]/gu, encodeURIComponent);
  return `"${safe.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** An Integer of RFC 9651, section 3.3.1: at most 15 digits. */
function integer(value: number): string {
  return String(Math.min(Math.max(0, Math.floor(value)), 999_999_999_999_999));
}
