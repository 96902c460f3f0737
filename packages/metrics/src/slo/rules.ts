/** Prometheus rules of objectives: what is recorded, and what alerts. */
import { type YamlValue, yamlOf } from '../documents/yaml.ts';
import { badShare, recordOf, windowsOf } from './expressions.ts';
import type { Burn, Slo } from './slo.ts';

/** How long both windows have to be above before somebody is told. */
export const holdFor = '2m';

/**
 * Rules of objectives as YAML, for `rule_files`: for each the bad share over every window as `sage:slo_bad:ratio_rate5m{slo="..."}` and so on, and up to two alerts:
 * `<Name>BurnsFast` with `severity="page"` and `<Name>BurnsSlowly` with `severity="ticket"`.
 */
export function sloRules(slos: readonly Slo[]): string {
  return yamlOf({ groups: slos.flatMap(groupsOf) });
}

/** Name of an alert of an objective. */
export function alertName({ name }: Slo, severity: Burn['severity']): string {
  const words = name.split('_').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  return `${words.join('')}${severity === 'page' ? 'BurnsFast' : 'BurnsSlowly'}`;
}

/** What an alert says; without figures, so that a repeated alert reads the same. */
export function annotationsOf({ name, objective, windowDays, runbookUrl }: Slo, severity: Burn['severity']) {
  const pace = severity === 'page' ? 'fast' : 'slowly, but too fast to last';
  return {
    summary: `The error budget of ${name} burns ${pace}.`,
    description: `${percent(objective)} over ${windowDays} days have to be good, and at this rate they will not be.`,
    ...(runbookUrl !== undefined && { runbook_url: runbookUrl }),
  };
}

function groupsOf(slo: Slo): readonly YamlValue[] {
  const own = `${slo.windowDays}d`;
  const records = windowsOf(slo).map((window) => ({
    window,
    rule: { record: recordOf(window), expr: badShare(slo.indicator, window), labels: { slo: slo.name } },
  }));
  const alerts = (['page', 'ticket'] as const).flatMap((severity) => alertOf(slo, severity));
  const often = records.filter(({ window }) => window !== own).map(({ rule }) => rule);
  const rarely = records.filter(({ window }) => window === own).map(({ rule }) => rule);
  return [
    { name: `sage-slo-${slo.name}`, rules: [...often, ...alerts] },
    // A month of samples is read each time; it changes slowly.
    { name: `sage-slo-${slo.name}-window`, interval: '5m', rules: rarely },
  ];
}

function alertOf(slo: Slo, severity: Burn['severity']): readonly YamlValue[] {
  const burns = slo.burns.filter((burn) => burn.severity === severity);
  if (burns.length === 0) return [];
  const above = (window: string, share: number) => `${recordOf(window)}{slo="${slo.name}"} > ${share}`;
  const expr = burns
    .map((burn) => `(${above(burn.long, burn.above)} and ${above(burn.short, burn.above)})`)
    .join(' or ');
  return [
    {
      alert: alertName(slo, severity),
      expr,
      for: holdFor,
      labels: { severity },
      annotations: annotationsOf(slo, severity),
    },
  ];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(10))} %`;
}
