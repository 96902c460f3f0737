/** A panel as this project writes one, and as Grafana wants it. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Unit, units } from './units.ts';

/** One line, or one line for each value of its labels. */
export interface Query {
  readonly expr: string;
  /** Name of the line: a word, or labels in double braces. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  /** What it shows, and what to see in it. */
  readonly description: string;
  readonly unit: Unit;
  /** `lines`; `stacked` where the lines are parts of a whole; `number` for the newest value. @default 'lines' */
  readonly kind?: 'lines' | 'stacked' | 'number';
  readonly queries: readonly Query[];
  /** From this value on it is shown as bad. */
  readonly badFrom?: number;
  /** Below this value it is shown as bad. */
  readonly badBelow?: number;
}

/** Columns of 24 that a panel takes. */
const widths = { lines: 8, stacked: 8, number: 4 } as const;
const heights = { lines: 8, stacked: 8, number: 4 } as const;
/** The variable of the dashboard. */
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

export interface Place {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

export function sizeOf({ kind = 'lines' }: PanelSpec): { readonly width: number; readonly height: number } {
  return { width: widths[kind], height: heights[kind] };
}

/** Makes a panel for Grafana. */
export function panelOf(spec: PanelSpec, { id, x, y }: Place): Builder<Panel> {
  const { width, height } = sizeOf(spec);
  const builder = spec.kind === 'number' ? numberOf(spec) : linesOf(spec);
  builder
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(datasource)
    .unit(spec.unit)
    .gridPos({ x, y, w: width, h: height })
    .thresholds(thresholdsOf(spec));
  for (const [i, { expr, legend }] of spec.queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .expr(expr)
      .legendFormat(legend);
    builder.withTarget(spec.kind === 'number' ? query.instant() : query.range());
  }
  return builder;
}

function linesOf({ kind, badFrom }: PanelSpec): TimeseriesBuilder {
  const builder = new TimeseriesBuilder()
    .min(0)
    .lineWidth(1)
    .fillOpacity(kind === 'stacked' ? 30 : 8)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['mean', 'max', 'lastNotNull']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (kind === 'stacked') builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  return badFrom === undefined ? builder : builder.axisSoftMax(badFrom);
}

function numberOf({ unit, badFrom, badBelow }: PanelSpec): StatBuilder {
  const builder = new StatBuilder()
    .graphMode(BigValueGraphMode.None)
    .colorMode(badFrom === undefined && badBelow === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false));
  // What a counter grew is extrapolated, and seldom whole.
  return unit === units.count ? builder.decimals(0) : builder;
}

function thresholdsOf({ badFrom, badBelow }: PanelSpec): ThresholdsConfigBuilder {
  const steps =
    badBelow === undefined
      ? [{ value: null, color: 'green' }, ...(badFrom === undefined ? [] : [{ value: badFrom, color: 'red' }])]
      : [
          { value: null, color: 'red' },
          { value: badBelow, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
