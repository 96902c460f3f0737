export type { HealthCheck, HealthResult } from '@sage-adk/core';
export { createHealth, type Health, type HealthOptions } from './health.ts';
export { createProbeHandler, type ProbeOptions, type ProbePaths } from './http/handler.ts';
export { listenForProbes, type ProbeListener, type ProbeListenerOptions } from './http/listen.ts';
export type { CheckReport, Status, Verdict } from './verdict.ts';
