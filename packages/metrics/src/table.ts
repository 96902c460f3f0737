/**
 * Every metric of this package. Labels come from the catalogue of core (`protocol`, `method`, `provider`, ...) and from how an operation ended: outcome, category, code.
 */
import { derivedMetrics } from './table/derived.ts';
import { observedMetrics } from './table/observed.ts';
import { ownMetrics, processMetrics, sampledMetrics } from './table/process.ts';
import type { MetricRow } from './table/row.ts';
import { sourceMetrics } from './table/sources.ts';

export type { MetricRow } from './table/row.ts';

/** All rows, for reference pages and checks. */
export const metricRows: readonly MetricRow[] = [
  ...Object.values<MetricRow>(observedMetrics),
  ...derivedMetrics,
  ...sourceMetrics,
  ...Object.values<MetricRow>(sampledMetrics),
  ...Object.values<MetricRow>(processMetrics),
  ...Object.values<MetricRow>(ownMetrics),
];
