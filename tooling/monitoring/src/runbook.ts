/** The runbook: a heading for each alert, with what it means, where to look and what helps. */
import { sloRules } from '@sage-adk/metrics/slo';
import type { Runbook } from './alert.ts';
import { alertGroups } from './alerts/index.ts';
import { serviceLevels } from './service-levels.ts';

const titles: Readonly<Record<keyof typeof alertGroups, string>> = {
  requests: 'Requests, health and security',
  models: 'Models and money',
  limits: 'Limits, budgets and queues',
  recovery: 'Recovery',
  runtime: 'The process and the monitoring itself',
};

/** Markdown. */
export function runbook(): string {
  const groups = Object.entries(titles).map(([group, title]) => {
    const entries = alertGroups[group as keyof typeof alertGroups].map(
      ({ name, severity, expr, for: hold, ...alert }) => {
        const facts = `\`${severity}\`${hold === '0m' ? '' : `, after ${hold}`}. ${alert.description}\n\n\`\`\`promql\n${expr}\n\`\`\``;
        return entry(name, facts, alert.runbook);
      },
    );
    return `## ${title}\n\n${entries.join('\n')}`;
  });
  const levels = serviceLevels.map(({ slo, runbook: text }) => {
    const names = Array.from(sloRules([slo]).matchAll(/alert: "(\w+)"/g), ([, name]) => `\`${name}\``);
    return entry(slo.name, `Alerts: ${names.join(' (`page`), ')} (\`ticket\`).`, text);
  });
  return `${head}\n${groups.join('\n')}\n## Service levels\n\n${levels.join('\n')}`;
}

function entry(heading: string, facts: string, { means, look, act }: Runbook): string {
  const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}\n`).join('');
  return `### ${heading}\n\n${facts}\n\n${means}\n\nLook:\n\n${list(look)}\nDo:\n\n${list(act)}`;
}

const head = `# Runbook

What to do when an alert fires. \`page\` wants somebody now, \`ticket\` on the next working day. The dashboards are those of \`grafana-dashboards/\`; the codes of errors are
explained in the [reference](../../reference/errors.md).

This page is made from \`tooling/monitoring\`: \`pnpm reference\` writes it.
`;
