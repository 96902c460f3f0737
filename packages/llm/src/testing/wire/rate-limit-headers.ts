/** What is left of the limits of an account. */
export interface RateLimits {
  readonly requests?: LimitState;
  readonly tokens?: LimitState;
  /** Anthropic's alone. */
  readonly inputTokens?: LimitState;
  /** Anthropic's alone. */
  readonly outputTokens?: LimitState;
}

export interface LimitState {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until it is full again. */
  readonly resetMs: number;
}

type Fields = Record<string, string>;

/** `x-ratelimit-remaining-requests: 59`, with resets as `6m0s`. */
export function openaiLimitFields({ requests, tokens }: RateLimits): Fields {
  const fields: Fields = {};
  for (const [name, state] of Object.entries({ requests, tokens })) {
    if (state === undefined) continue;
    fields[`x-ratelimit-limit-${name}`] = String(state.limit);
    fields[`x-ratelimit-remaining-${name}`] = String(state.remaining);
    fields[`x-ratelimit-reset-${name}`] = goDuration(state.resetMs);
  }
  return fields;
}

/** `anthropic-ratelimit-requests-remaining: 59`, with resets as RFC 3339. */
export function anthropicLimitFields(
  { requests, tokens, inputTokens, outputTokens }: RateLimits,
  nowMs: number,
): Fields {
  const fields: Fields = {};
  const states = { requests, tokens, 'input-tokens': inputTokens, 'output-tokens': outputTokens };
  for (const [name, state] of Object.entries(states)) {
    if (state === undefined) continue;
    fields[`anthropic-ratelimit-${name}-limit`] = String(state.limit);
    fields[`anthropic-ratelimit-${name}-remaining`] = String(state.remaining);
    const resetAt = new Date(nowMs + state.resetMs).toISOString();
    fields[`anthropic-ratelimit-${name}-reset`] = resetAt.replace(/\.\d+Z$/, 'Z');
  }
  return fields;
}

/** A duration as Go prints it: `1h2m3s`, `6m0s`, `1.5s`, `120ms`. */
export function goDuration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1_000;
  const long = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '';
  return `${long}${seconds}s`;
}
