/**
 * A dashboard as this project writes one, and as Grafana wants it: the classic form, which every Grafana imports. Its successor in the SDK, `dashboardv2`, needs Grafana 12.
 */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource, panelOf, type PanelSpec, sizeOf } from './panel.ts';

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

export interface DashboardSpec {
  /** Name of its file and, with `sage-` before it, its identity in Grafana. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowSpec[];
}

const columns = 24;

/** Makes a dashboard for Grafana: rows from top to bottom, their panels from left to right. */
export function dashboardOf({ name, title, description, rows }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(`sage-${name}`)
    .description(description)
    .tags(['sage-adk'])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(instances())
    .link(
      new DashboardLinkBuilder('sage-adk')
        .type(DashboardLinkType.Dashboards)
        .tags(['sage-adk'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  let id = 0;
  let y = 0;
  for (const row of rows) {
    id += 1;
    builder.withRow(new RowBuilder(row.title).id(id).gridPos({ x: 0, y, w: columns, h: 1 }));
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const size = sizeOf(panel);
      if (x + size.width > columns) {
        x = 0;
        y += height;
        height = 0;
      }
      id += 1;
      builder.withPanel(panelOf(panel, { id, x, y }));
      x += size.width;
      height = Math.max(height, size.height);
    }
    y += height;
  }
  return builder.build();
}

/** The agents that are there, all of them at first. */
function instances(): QueryVariableBuilder {
  return new QueryVariableBuilder('instance')
    .label('Instance')
    .datasource(datasource)
    .query('label_values(sage_build_info, instance)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] })
    .allValue('.*');
}
