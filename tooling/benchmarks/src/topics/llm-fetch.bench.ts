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
  /** Of a bare async call, in the same batches. */
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

// The goals are 50 us for a call and 2 us for an event where the SDK's own take 118 and 9.5, as they did on a quiet machine; the gates are their ratios. A bare
// async call is no measure of them: it stays in the innermost cache, while a call of an SDK goes through more code than a second cache holds. From one machine
// and hour to the next a call of the SDK was seen to cost 1,000 to 2,200 of those.
const goals = { call: 50 / 118, event: 2 / 9.5, bytesPerStream: 8 };

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
        'bare async call beside calls, ns': call('bareAsyncNs'),
        'call, in bare async calls': callNs / call('bareAsyncNs'),
        'bare async call beside streams, ns': event('bareAsyncNs'),
        'event, in bare async calls': eventNs / event('bareAsyncNs'),
        'call of the SDK without the wrapper, us': call('baseNs') / 1_000,
        'call, us over that': callNs / 1_000,
        'call, us over that, lower quartile': call('quartileNs') / 1_000,
        ...byStep,
        'event of a stream without the wrapper, us': event('baseNs') / 1_000,
        'event of a stream, us over that': eventNs / 1_000,
        'event of a stream, us over that, lower quartile': event('quartileNs') / 1_000,
        'live heap after each tenth of the streams, kB': heapBytes.map((bytes) => Math.round(bytes / 1_024)).join(' '),
        streams: streams,
      },
      gates: [
        {
          name: 'a call, in calls of the SDK without the wrapper',
          value: callNs / call('baseNs'),
          limit: goals.call,
          kind: 'at most',
        },
        {
          name: 'an event, in events without the wrapper',
          value: eventNs / event('baseNs'),
          limit: goals.event,
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
