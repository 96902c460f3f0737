/** Where alerts lead. A path of the repository: where your runbook is published, put its address before it. */
const runbook = 'docs/deployment/monitoring/runbook.md';

/** Of the heading, as forges make anchors of it. */
export function runbookUrl(heading: string): string {
  return `${runbook}#${heading.toLowerCase()}`;
}
