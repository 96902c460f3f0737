import type { EventName, Events } from '../catalogue-types.ts';
import { shared } from '../shared.ts';
import { planFor } from './observe.ts';

/** Tells the observers of a point in time. Returns at once; what an observer throws is counted and nothing else. */
export function emit<E extends EventName>(name: E, event: Readonly<Events[E]>): void {
  for (const handle of planFor(name).events) {
    try {
      handle(event);
    } catch {
      shared.observerFailures++;
    }
  }
}
