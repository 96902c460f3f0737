export type { ActiveContext } from './context/active-context.ts';
export { observeTracing, type TracingOptions } from './observe-tracing.ts';
export { semanticsRevision } from './spans/semantics.ts';
