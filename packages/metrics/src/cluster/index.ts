export { type MergedMetrics, type MergeOptions, mergeWorkers } from './merge-workers.ts';
export { type Reporting, type ReportOptions, reportMetrics } from './report.ts';
export type { Thread } from './workers.ts';
