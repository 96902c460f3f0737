import { inOwnProcess } from '../harness/child.ts';
import type { Excess } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';

/** What one process measured, in CPU nanoseconds per call or event. */
export interface LlmFetchTimings {
  /** Of a call over the bare one. */
  readonly call: LlmFetchTiming | undefined;
  /** Of an event of a stream over that of the bare one, where everything is plugged in. */
  readonly event: LlmFetchTiming | undefined;
}

export interface LlmFetchTiming extends Excess {
  /** The calibration, in the same batches. */
  readonly bareAsyncNs: number;
}

/** What one process measured, in bytes. */
export interface LlmFetchMemory {
  readonly streams: number;
  /** Live heap after each tenth of the streams. */
  readonly heapBytes: readonly number[];
}

/** Pieces of content in either stream. */
export const pieces = { short: 20, long: 220 } as const;

/** Each alone, observed like the whole. */
const steps = ['nothing', 'limiter', 'breaker', 'retry', 'cache', 'stall'];

/** The goals, and what a bare async call took where they were set. */
const goals = { callNs: 50_000, eventNs: 2_000, bareAsyncNs: 96, bytesPerStream: 8 };

/**
 * A time as a share of what it may cost: the goal, and on a slower machine as many bare async calls as that is where it was set.
 *
 * @see ../../../../docs/decisions/0004-gates-of-times.md
 */
function shareOfAllowed(ns: number, goalNs: number, bareAsyncNs: number): number {
  return ns / (goalNs * Math.max(1, bareAsyncNs / goals.bareAsyncNs));
}

export const topic: Topic = {
  name: 'LLM: what the wrapper adds to a call of the OpenAI SDK, with everything plugged in',
  async run(): Promise<Report> {
    const all = await inOwnProcess<LlmFetchTimings>(speed);
    const call = (part: keyof LlmFetchTiming): number => all.call?.[part] ?? Number.NaN;
    const event = (part: keyof LlmFetchTiming): number => all.event?.[part] ?? Number.NaN;
    const callNs = call('medianNs');
    const eventNs = event('medianNs');
    const byStep: Record<string, number> = {};
    for (const step of steps) {
      const alone = await inOwnProcess<LlmFetchTimings>(speed, [step]);
      byStep[`call with ${step} plugged in, us over it`] = (alone.call?.medianNs ?? Number.NaN) / 1_000;
    }
    const { streams, heapBytes } = await inOwnProcess<LlmFetchMemory>(memory);
    const bytesPerStream = slopeOf(heapBytes.slice(1)) / (streams / heapBytes.length);
    return {
      figures: {
        'bare async call beside calls, ns (the calibration)': call('bareAsyncNs'),
        'bare async call beside streams, ns': event('bareAsyncNs'),
        'call of the SDK without the wrapper, us': call('baseNs') / 1_000,
        'call, us over that': callNs / 1_000,
        'call, us over that, in the calmest third of the batches': call('calmNs') / 1_000,
        'call, in bare async calls': callNs / call('bareAsyncNs'),
        'call, as a share of that': callNs / call('baseNs'),
        ...byStep,
        'event of a stream without the wrapper, us': event('baseNs') / 1_000,
        'event of a stream, us over that': eventNs / 1_000,
        'event of a stream, in bare async calls': eventNs / event('bareAsyncNs'),
        'event of a stream, as a share of that': eventNs / event('baseNs'),
        'live heap after each tenth of the streams, kB': heapBytes.map((bytes) => Math.round(bytes / 1_024)).join(' '),
        streams: streams,
      },
      gates: [
        {
          name: 'a call, as a share of what it may cost (50 us)',
          value: shareOfAllowed(call('calmNs'), goals.callNs, call('bareAsyncNs')),
          limit: 1,
          kind: 'at most',
        },
        {
          name: 'an event, as a share of what it may cost (2 us)',
          value: shareOfAllowed(eventNs, goals.eventNs, event('bareAsyncNs')),
          limit: 1,
          kind: 'at most',
        },
        { name: 'heap, bytes per stream', value: bytesPerStream, limit: goals.bytesPerStream, kind: 'at most' },
      ],
    };
  },
};

const speed = new URL('../workers/llm-fetch.ts', import.meta.url);
const memory = new URL('../workers/llm-fetch-memory.ts', import.meta.url);

/** How much a value grows from one to the next: the least squares. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let above = 0;
  let below = 0;
  values.forEach((value, index) => {
    above += (index - middle) * (value - mean);
    below += (index - middle) ** 2;
  });
  return above / below;
}
