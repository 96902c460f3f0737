import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** What one process measured, in CPU nanoseconds per call. */
export interface OperationTimings {
  readonly bareSync: number;
  readonly observedSync: number;
  readonly bareAsync: number;
  readonly observedAsync: number;
  readonly bareChunk: number;
  readonly observedChunk: number;
}

const processes = 5;
// The goals are 30 ns and 500 ns where a bare async call costs 96 ns; the gate is their ratio, which travels to other machines.
const goalCallNs = 96;

export const topic: Topic = {
  name: 'Operations: what observing costs over the bare call',
  async run(): Promise<Report> {
    const none: OperationTimings[] = [];
    const noop: OperationTimings[] = [];
    for (let round = 0; round < processes; round++) {
      none.push(await inOwnProcess(worker, ['0']));
      noop.push(await inOwnProcess(worker, ['3']));
    }
    const call = median([...none, ...noop].map((timings) => timings.bareAsync));
    const over = (timings: readonly OperationTimings[], what: 'Sync' | 'Async' | 'Chunk'): number =>
      median(timings.map((one) => one[`observed${what}`] - one[`bare${what}`]));
    return {
      figures: {
        'bare async call, ns (the calibration)': call,
        'no observer, sync call, ns over bare': over(none, 'Sync'),
        'no observer, async call, ns over bare': over(none, 'Async'),
        'no observer, stream chunk, ns over bare': over(none, 'Chunk'),
        'three observers, sync call, ns over bare': over(noop, 'Sync'),
        'three observers, async call, ns over bare': over(noop, 'Async'),
        'three observers, stream chunk, ns over bare': over(noop, 'Chunk'),
      },
      gates: [
        {
          name: 'no observer, sync, in bare async calls',
          value: over(none, 'Sync') / call,
          limit: 30 / goalCallNs,
          kind: 'at most',
        },
        {
          name: 'no observer, async, in bare async calls',
          value: over(none, 'Async') / call,
          limit: 30 / goalCallNs,
          kind: 'at most',
        },
        {
          name: 'three observers, async, in bare async calls',
          value: over(noop, 'Async') / call,
          limit: 500 / goalCallNs,
          kind: 'at most',
        },
      ],
    };
  },
};

const worker = new URL('../workers/operations.ts', import.meta.url);
