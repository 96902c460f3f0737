/** Decisions of shared stores as operations, each once: a store that tells of its decisions itself is not told of again. */
import { operate } from '@sage-adk/core';
import type { Answer, DecideRequest, LimiterStore } from './store.ts';

const telling = new WeakSet<LimiterStore>();

/** Notes that a store tells of its decisions itself. */
export function tellsItself(store: LimiterStore): void {
  telling.add(store);
}

/** The `decide` of a store, each call an operation `limiter.check`. */
export function observedDecide(store: LimiterStore): LimiterStore['decide'] {
  if (telling.has(store)) return (request) => store.decide(request);
  return (request) => observeDecision(store.kind, request, () => store.decide(request));
}

/** One decision as an operation `limiter.check`. */
export function observeDecision(
  kind: string,
  request: DecideRequest,
  decide: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  return operate('limiter.check', { store: kind, rules: request.asks.length }, (operation) => {
    const note = (answer: Answer): void => {
      const denied = answer.findings.find(({ allowed, rule }) => !allowed && rule.mode === 'enforce');
      const degraded = answer.source === 'local' || answer.source === 'policy';
      operation.set({ allowed: answer.allowed, degraded, ...(denied !== undefined && { rule: denied.rule.name }) });
    };
    const answer = decide();
    if (!(answer instanceof Promise)) {
      note(answer);
      return answer;
    }
    return answer.then((settled) => {
      note(settled);
      return settled;
    });
  });
}
