/** All metrics as data: what reference pages, dashboards, alerts and exporters are made from. */
import { clusterMetrics } from '../cluster/rows.ts';
import { metricRows, type MetricRow } from '../table.ts';
import { type OpenTelemetryName, openTelemetryOf } from './open-telemetry.ts';

export type { OpenTelemetryName } from './open-telemetry.ts';

/** A metric with its place in OpenTelemetry. `from` says where its numbers come from: operations and events of core's catalogue, sources, or the process. */
export type MetricEntry = MetricRow & { readonly openTelemetry: OpenTelemetryName };

/** Every metric that `createMetrics` has, in the order in which it shows them, and those that `./cluster` adds. */
export const metricCatalogue: readonly MetricEntry[] = [...metricRows, ...Object.values<MetricRow>(clusterMetrics)].map(
  (row) => ({
    ...row,
    openTelemetry: openTelemetryOf(row),
  }),
);
