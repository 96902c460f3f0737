export type { FinishedSpan, SpanReceiver, StartedSpan } from './readable-span.ts';
export type { TailSampler } from './sampler.ts';
export {
  createTailSampling,
  type DropReason,
  type TailCounts,
  type TailSampling,
  type TailSamplingOptions,
} from './tail-sampling.ts';
