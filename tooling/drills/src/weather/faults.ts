/** What goes wrong with a provider, by name. */
import type { Random } from '@sage-adk/core';
import type { Behaviour } from '@sage-adk/llm/testing';

/**
 * `transient` and `permanent` spoil the answer. `slow` does not, unless somebody gives it up.
 */
export type FaultKind = 'transient' | 'permanent' | 'slow';

export interface Fault {
  readonly kind: FaultKind;
  /** Whether the answer has begun by then. */
  readonly within: boolean;
  readonly behaviour: (random: Random) => Behaviour;
}

const transient = (behaviour: Behaviour): Fault => ({ kind: 'transient', within: false, behaviour: () => behaviour });
const permanent = (behaviour: Behaviour): Fault => ({ kind: 'permanent', within: false, behaviour: () => behaviour });
const within = (behaviour: Fault['behaviour']): Fault => ({ kind: 'transient', within: true, behaviour });
const slow = (behaviour: Fault['behaviour']): Fault => ({ kind: 'slow', within: false, behaviour });

export const faults = {
  rate_limited: transient({ error: 'rate_limit', retryAfterMs: 1_000 }),
  rate_limited_unsaid: transient({ error: 'rate_limit' }),
  server_error: transient({ error: 'server_error' }),
  unavailable: transient({ error: 'unavailable' }),
  overloaded: transient({ error: 'overloaded' }),
  bad_gateway: transient({ error: 'bad_gateway' }),
  gateway_timeout: transient({ error: 'gateway_timeout' }),
  hang_up: transient({ hangUp: true }),
  silence: transient({ latencyMs: Number.POSITIVE_INFINITY }),
  cut_before: transient({ cutAfter: { contents: 0 } }),
  stall_before: transient({ stallAfter: { contents: 0 }, keepAliveMs: 500 }),
  error_event_before: transient({ errorEventAt: { contents: 0 } }),
  cut_within: within((random) => ({ cutAfter: { contents: somewhere(random) } })),
  end_within: within((random) => ({ endAfter: { contents: somewhere(random) } })),
  stall_within: within((random) => ({ stallAfter: { contents: somewhere(random) } })),
  error_event_within: within((random) => ({ errorEventAt: { contents: somewhere(random) } })),
  malformed_within: within((random) => ({ malformedAt: { contents: somewhere(random) } })),
  wrong_key: permanent({ error: 'authentication' }),
  not_allowed: permanent({ error: 'permission' }),
  no_such_model: permanent({ error: 'not_found' }),
  no_credit: permanent({ error: 'quota' }),
  late: slow((random) => ({ latencyMs: 200 + 600 * random() })),
  sluggish: slow((random) => ({ tokenDelayMs: 20 + 60 * random() })),
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as readonly FaultName[];

/** After one to six words, of which each answer has more. */
function somewhere(random: Random): number {
  return 1 + Math.floor(random() * 6);
}
