import { channel } from 'node:diagnostics_channel';
import { observe } from './observe.ts';
import type { Subscription } from './observer.ts';

/**
 * Publishes every operation and event on `node:diagnostics_channel`, for tools that are not ours: `sage-adk:<name>` carries
 * `{ phase: 'start' | 'end', operation }` or `{ phase: 'event', event }`.
 */
export function mirrorToDiagnosticsChannel(): Subscription {
  return observe({
    name: 'diagnostics-channel',
    operation(name) {
      const mirror = channel(`sage-adk:${name}`);
      return {
        start(operation) {
          if (mirror.hasSubscribers) mirror.publish({ phase: 'start', operation });
        },
        end(operation) {
          if (mirror.hasSubscribers) mirror.publish({ phase: 'end', operation });
        },
      };
    },
    event(name) {
      const mirror = channel(`sage-adk:${name}`);
      return (event) => {
        if (mirror.hasSubscribers) mirror.publish({ phase: 'event', event });
      };
    },
  });
}
