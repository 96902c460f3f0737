import type { Deadline } from '@sage-adk/core/deadline';
import type { WaitEnd } from '../bulkhead/bulkhead.ts';

/** How long a call waits for its place: until its deadline, then with the error that `late` makes, or until its caller leaves. */
export function patienceUntil(deadline: Deadline, late: () => Error): WaitEnd {
  const { signal } = deadline;
  const controller = new AbortController();
  const end = (): void => controller.abort(deadline.expired ? late() : signal.reason);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', end);
      deadline[Symbol.dispose]();
    },
  };
}
