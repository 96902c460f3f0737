/** Probes over `node:http`. */
export type { ProbeOptions, ProbePaths } from './answers.ts';
export { createProbeHandler } from './handler.ts';
export { listenForProbes, type ProbeListener, type ProbeListenerOptions } from './listen.ts';
