export type { HealthCheck, HealthResult } from '@sage-adk/core';
export type { CheckSpec, Watching } from './checks/spec.ts';
export { createHealth, type Health, type HealthOptions } from './health.ts';
export type { CheckReport, Status, Verdict } from './verdict.ts';
