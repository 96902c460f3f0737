import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** What one process measured, in CPU nanoseconds per call. */
export interface RecoveryTimings {
  readonly bare: number;
  readonly retry: number;
  readonly dependency: number;
  readonly withBulkhead: number;
  readonly readSignal: number;
  readonly cockatiel: number;
}

const processes = 3;
// The goal is 1.2 us where a bare async call costs 96 ns; the gate is their ratio, which travels to other machines.
const goalCallNs = 96;
const goalNs = 1_200;

export const topic: Topic = {
  name: 'Recovery: what protection costs over the bare call',
  async run(): Promise<Report> {
    const timings: RecoveryTimings[] = [];
    for (let round = 0; round < processes; round++) timings.push(await inOwnProcess<RecoveryTimings>(worker));
    const bare = median(timings.map((one) => one.bare));
    const over = (what: keyof RecoveryTimings): number => median(timings.map((one) => one[what] - one.bare));
    return {
      figures: {
        'bare async call, ns (the calibration)': bare,
        'retry and budget, ns over bare': over('retry'),
        'retry, budget, breaker, timeout and deadline, ns over bare': over('dependency'),
        "the same in cockatiel's bulkhead, as by default, ns over bare": over('withBulkhead'),
        'the same where the call reads its signal, ns over bare': over('readSignal'),
        'cockatiel 4 wrap(retry, breaker, timeout), ns over bare': over('cockatiel'),
      },
      gates: [
        {
          name: 'retry, budget, breaker, timeout and deadline, in bare async calls',
          value: over('dependency') / bare,
          limit: goalNs / goalCallNs,
          kind: 'at most',
        },
        {
          name: "cockatiel's wrap(retry, breaker, timeout) to ours",
          value: over('cockatiel') / over('dependency'),
          limit: 10,
          kind: 'at least',
        },
      ],
    };
  },
};

const worker = new URL('../workers/recovery.ts', import.meta.url);
