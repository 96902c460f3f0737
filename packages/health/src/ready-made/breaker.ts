import type { CheckSpec } from '../checks/spec.ts';
import { isOpen, watchBreakers } from './breaker-states.ts';
import type { NamedCheck } from './named.ts';

export interface BreakerCheckOptions extends NamedCheck {
  /** What the breaker protects, as its `breaker.changed` events call it. */
  readonly dependency: string;
}

/** Fails while the breaker of a dependency is open, also by force, and warns while it recovers. Hears what breakers say from its creation until it is disposed. */
export function breakerCheck({
  dependency,
  name = `breaker.${dependency}`,
  ...watching
}: BreakerCheckOptions): CheckSpec & Disposable {
  const states = watchBreakers(`health:${name}`);
  return {
    // A breaker has counted failures already.
    failureThreshold: 1,
    ...watching,
    name,
    async check() {
      const state = states.of(dependency);
      if (state === undefined) return { status: 'pass' };
      return { status: isOpen(state) ? 'fail' : 'warn', detail: `the breaker is ${state}` };
    },
    [Symbol.dispose]: () => states[Symbol.dispose](),
  };
}
