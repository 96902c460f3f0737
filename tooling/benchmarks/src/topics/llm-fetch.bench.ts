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

// The goals are 50 us for a call and 2 us for an event. They are gates as they are, and as ratios, since a fast machine meets them with ease: where they were set,
// a bare async call cost 96 ns. Beside them stand the shares of what the SDK's own take: a bare async call stays in the innermost cache and a call of an SDK does
// not, so that one was seen to cost 1,000 to 2,200 of the other.
const goalCallNs = 96;
const goals = { callNs: 50_000, eventNs: 2_000, bytesPerStream: 8 };

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
        'call, us over that, lower quartile': call('quartileNs') / 1_000,
        'call, as a share of that': callNs / call('baseNs'),
        ...byStep,
        'event of a stream without the wrapper, us': event('baseNs') / 1_000,
        'event of a stream, us over that': eventNs / 1_000,
        'event of a stream, us over that, lower quartile': event('quartileNs') / 1_000,
        'event of a stream, as a share of that': eventNs / event('baseNs'),
        'live heap after each tenth of the streams, kB': heapBytes.map((bytes) => Math.round(bytes / 1_024)).join(' '),
        streams: streams,
      },
      gates: [
        { name: 'a call, us', value: callNs / 1_000, limit: goals.callNs / 1_000, kind: 'at most' },
        { name: 'an event, us', value: eventNs / 1_000, limit: goals.eventNs / 1_000, kind: 'at most' },
        {
          name: 'a call, in bare async calls',
          value: callNs / call('bareAsyncNs'),
          limit: goals.callNs / goalCallNs,
          kind: 'at most',
        },
        {
          name: 'an event, in bare async calls',
          value: eventNs / event('bareAsyncNs'),
          limit: goals.eventNs / goalCallNs,
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
