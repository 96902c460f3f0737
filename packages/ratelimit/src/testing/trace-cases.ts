import { strict as assert } from 'node:assert';
import type { Clock } from '@sage-adk/core';
import { createMemoryStore } from '../stores/memory.ts';
import type { LimiterStore } from '../stores/store.ts';
import { startUs, type StoreCase } from './subject.ts';
import { randomTrace, type TraceStep } from './trace.ts';

const traces = 40;
const steps = 60;

/** The store answers as the memory store does, number by number. */
export const traceCases: readonly StoreCase[] = Array.from({ length: traces }, (_, index) => ({
  name: `answers as the memory store does, seed ${index + 1}`,
  run: async (create) => {
    const trace = randomTrace(index + 1, steps);
    const subject = await create(startUs);
    const time = { us: startUs };
    const reference = createMemoryStore({ clock: clockOf(time) });
    try {
      for (const [number, step] of trace.steps.entries()) {
        time.us += step.pauseUs;
        await subject.advanceUs(step.pauseUs);
        const [expected, answer] = [await answerOf(reference, step), await answerOf(subject.store, step)];
        assert.deepEqual(answer, expected, `step ${number}, ${step.call.name}`);
      }
    } finally {
      await subject.store.close();
    }
  },
}));

/** The answer, without what differs by kind of store. */
async function answerOf(store: LimiterStore, { call }: TraceStep): Promise<unknown> {
  switch (call.name) {
    case 'decide': {
      const { allowed, findings, delayUs, repeated, gone } = await store.decide(call.request);
      return {
        allowed,
        repeated,
        gone,
        delayUs,
        findings: findings.map((finding) => [
          finding.rule.name,
          finding.key,
          finding.cost,
          finding.allowed,
          finding.remaining,
          finding.resetAfterUs,
          finding.retryAfterUs,
        ]),
      };
    }
    case 'settle':
      return store.settle(call.request);
    case 'extend':
      return store.extend(call.request);
    default:
      return store.reset(call.asks);
  }
}

function clockOf(time: { readonly us: number }): Clock {
  const now = (): number => time.us / 1_000;
  return { now, monotonicMs: now, setTimer: () => ({ cancel() {} }) };
}
