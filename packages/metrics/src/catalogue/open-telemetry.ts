/** What a metric, its unit and its labels are called in OpenTelemetry. */
import type { MetricRow } from '../table.ts';

export interface OpenTelemetryName {
  readonly name: string;
  /** As UCUM writes it. */
  readonly unit: string;
  /** The attribute of each label. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Names of the semantic conventions for what they describe too: the same quantity, where the convention has a histogram of what is a counter here its sum.
 * GenAI conventions 0.1, others 1.41.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 * @see https://opentelemetry.io/docs/specs/semconv/
 */
const conventions: Readonly<Record<string, readonly [name: string, attributes?: Readonly<Record<string, string>>]>> = {
  sage_llm_call_duration_seconds: ['gen_ai.client.operation.duration'],
  sage_llm_first_token_seconds: ['gen_ai.client.operation.time_to_first_chunk'],
  sage_llm_tokens_total: ['gen_ai.client.token.usage', { type: 'gen_ai.token.type' }],
  sage_tool_duration_seconds: ['gen_ai.execute_tool.duration'],
  sage_storage_duration_seconds: [
    'db.client.operation.duration',
    { store: 'db.system.name', operation: 'db.operation.name' },
  ],
  sage_runtime_eventloop_seconds_total: ['nodejs.eventloop.time', { state: 'nodejs.eventloop.state' }],
  sage_runtime_gc_duration_seconds: ['v8js.gc.duration', { kind: 'v8js.gc.type' }],
  sage_runtime_heap_used_bytes: ['v8js.memory.heap.used'],
  sage_runtime_cpu_seconds_total: ['process.cpu.time', { mode: 'cpu.mode' }],
  sage_runtime_rss_bytes: ['process.memory.usage'],
};

const attributes: Readonly<Record<string, string>> = {
  provider: 'gen_ai.provider.name',
  model: 'gen_ai.request.model',
  tool: 'gen_ai.tool.name',
  code: 'error.type',
};

const methods: Readonly<Record<string, string>> = { 'a2a.*': 'a2a.method.name', 'mcp.call': 'mcp.method.name' };

const units: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', usd: '{USD}', tokens: '{token}' };

/** Beyond the conventions a name is that of Prometheus without unit and `_total`, in the namespace `sage`. */
export function openTelemetryOf({ name, from, unit, labels = [] }: MetricRow): OpenTelemetryName {
  const [own = nameOf(name), named = {}] = conventions[name] ?? [];
  const method = methods[from] ?? 'sage.method';
  const attributeOf = (label: string): string =>
    named[label] ?? attributes[label] ?? (label === 'method' ? method : `sage.${label}`);
  return {
    name: own,
    unit: unit === undefined ? '1' : (units[unit] ?? unit),
    attributes: Object.fromEntries(labels.map((label) => [label, attributeOf(label)])),
  };
}

/** `sage_llm_calls_total` is `sage.llm.calls`: the first two words are namespaces. */
function nameOf(name: string): string {
  return name
    .replace(/(_(seconds|bytes|usd))?(_total)?$/, '')
    .replace(/^sage_([a-z0-9]+)_/, 'sage.$1.')
    .replace(/^sage_/, 'sage.');
}
