import { observe } from '@sage-adk/core';

/** What breakers of the process said last. */
export interface BreakerStates extends Disposable {
  /** The state of a dependency's breaker; undefined while it has said nothing. */
  of(dependency: string): string | undefined;
}

/** Whether a breaker in this state refuses every call. */
export function isOpen(state: string | undefined): boolean {
  return state === 'open' || state === 'forced-open';
}

/** Dependencies that are remembered. */
const most = 1_000;

/** Listens to `breaker.changed` until it is disposed. */
export function watchBreakers(name: string): BreakerStates {
  const states = new Map<string, string>();
  const subscription = observe({
    name,
    events: {
      'breaker.changed': ({ dependency, to }) => {
        // A breaker that lets everything through is as good as one that never said anything.
        if (to === 'closed' || to === 'disabled') states.delete(dependency);
        else if (states.has(dependency) || states.size < most) states.set(dependency, to);
      },
    },
  });
  return { of: (dependency) => states.get(dependency), [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}
