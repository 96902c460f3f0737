/** The page of all metrics, made from the catalogue of the built package. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What the page shows of a metric. */
export interface MetricEntry {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly from: string;
  readonly unit?: string;
  readonly labels?: readonly string[];
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
  readonly aggregate?: string;
  readonly openTelemetry: {
    readonly name: string;
    readonly unit: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
}

export const metricReferenceFile = 'docs/reference/metrics.md';

/** What the page should say now. */
export async function metricReference(root: string): Promise<string> {
  const file = join(root, 'packages/metrics/dist/catalogue/index.js');
  const { metricCatalogue }: { metricCatalogue: readonly MetricEntry[] } = await import(pathToFileURL(file).href);
  return metricPage(metricCatalogue);
}

export function metricPage(entries: readonly MetricEntry[]): string {
  const buckets = bucketNames(entries);
  const metrics = table(
    ['metric', 'type', 'unit', 'labels', 'buckets', 'meaning', 'from'],
    entries.map(({ name, type, aggregate, unit = '', labels = [], values, buckets: bounds, help, from }) => [
      code(name),
      aggregate === undefined ? type : `${type}, ${aggregate}`,
      unit,
      labels.map((label) => labelText(label, values?.[label])).join('; '),
      bounds === undefined ? '' : (buckets.get(bounds.join(', ')) ?? ''),
      help,
      from.split(',').map(originText).join(', '),
    ]),
  );
  const sets = [...buckets].map(([bounds, name]) => `- ${name}: ${bounds}`);
  const names = table(
    ['metric', 'OpenTelemetry', 'unit', 'attributes'],
    entries.map(({ name, openTelemetry }) => [
      code(name),
      code(openTelemetry.name),
      openTelemetry.unit,
      Object.entries(openTelemetry.attributes)
        .map(([label, attribute]) => `${label}: ${code(attribute)}`)
        .join('; '),
    ]),
  );
  return `${head}\n${metrics}\n\n## Buckets\n\nUpper bounds; infinity follows.\n\n${sets.join('\n')}\n\n${openTelemetryHead}\n${names}\n`;
}

/** Each set of bounds by a letter, in the order in which they come. */
function bucketNames(entries: readonly MetricEntry[]): ReadonlyMap<string, string> {
  const sets = new Set(entries.flatMap(({ buckets }) => (buckets === undefined ? [] : [buckets.join(', ')])));
  return new Map([...sets].map((bounds, index) => [bounds, String.fromCodePoint(0x41 + index)]));
}

function labelText(label: string, values: readonly string[] | undefined): string {
  return values === undefined ? label : `${label}: ${values.join(', ')}`;
}

/** An operation, event or source by its name; words as they are. */
function originText(origin: string): string {
  const text = origin.trim();
  if (text.startsWith('source ')) return `source ${code(text.slice('source '.length))}`;
  return /^[a-z0-9]+\.[a-z*]+$/.test(text) ? code(text) : text;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const head = `# Metrics

Every metric of \`@sage-adk/metrics\`. The last column says what has to happen for it to count: an operation or event of core's catalogue (\`@sage-adk/core/catalogue\`), or the numbers of a
\`source\`, by the name of the source and the name of the number, a star for the values of labels. Labels with a list of values take no others: what is not in it is \`other\`. Over several workers values
are summed, of a gauge with \`max\` or \`min\` beside its type the largest or smallest counts. The same
table as data is \`metricCatalogue\` of \`@sage-adk/metrics/catalogue\`.

This page is made from the package: \`pnpm reference\` writes it.
`;

const openTelemetryHead = `## OpenTelemetry

What each metric is called where OpenTelemetry's names are wanted. A name of the semantic conventions means the same quantity; where a convention has a histogram of what is a counter here, it is the
histogram's sum. All other names are in the namespace \`sage\`.
`;
