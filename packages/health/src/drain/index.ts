export { createDrain, type Drain, type DrainOptions, type DrainReport, type StepReport } from './drain.ts';
export { serverStep, type ServerStepOptions } from './server-step.ts';
export { endOnSignals, type SignalOptions } from './signals.ts';
export type { DrainStep } from './step.ts';
