import { inOwnProcess } from '../harness/child.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** CPU nanoseconds of one call, the lower quartile of many blocks side by side: of the bare call, and what the others cost over it. */
export interface RecoveryTimings {
  /** Calls of each, those of cockatiel apart. */
  readonly calls: number;
  readonly bare: number;
  readonly retry: number;
  readonly dependency: number;
  readonly withBulkhead: number;
  readonly readSignal: number;
  readonly cockatiel: number;
}

// The goal is 1.2 us where a bare async call costs 96 ns; the gate is their ratio, which travels to other machines.
const goalCallNs = 96;
const goalNs = 1_200;

export const topic: Topic = {
  name: 'Recovery: what protection costs over the bare call',
  async run(): Promise<Report> {
    const { calls, bare, retry, dependency, withBulkhead, readSignal, cockatiel } =
      await inOwnProcess<RecoveryTimings>(worker);
    return {
      figures: {
        calls,
        'bare async call, us CPU (the calibration)': bare / 1_000,
        'retry and budget, us CPU over bare': retry / 1_000,
        'retry, budget, breaker, timeout and deadline, us CPU over bare': dependency / 1_000,
        "the same in cockatiel's bulkhead, as by default, us CPU over bare": withBulkhead / 1_000,
        'the same where the call reads its signal, us CPU over bare': readSignal / 1_000,
        'cockatiel 4 wrap(retry, breaker, timeout), us CPU over bare': cockatiel / 1_000,
      },
      gates: [
        {
          name: 'retry, budget, breaker, timeout and deadline, in bare async calls',
          value: dependency / bare,
          limit: goalNs / goalCallNs,
          kind: 'at most',
        },
        {
          name: "cockatiel's wrap(retry, breaker, timeout) to ours",
          value: cockatiel / dependency,
          limit: 10,
          kind: 'at least',
        },
      ],
    };
  },
};

const worker = new URL('../workers/recovery.ts', import.meta.url);
