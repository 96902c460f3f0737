/** Takes secrets out of spans on their way out: providers put keys into the messages of errors, and stacks repeat them. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { requireOption } from '@sage-adk/core';

const shortest = 6;
const hidden = '[redacted]';

/**
 * An exporter whose spans have none of `secrets` in their names, attributes, events, links and status.
 *
 * @throws SAGE_CORE_INVALID_OPTION for one of less than 6 characters
 */
export function hideSecrets(exporter: SpanExporter, secrets: readonly string[]): SpanExporter {
  for (const secret of secrets)
    requireOption('secrets', secret, `texts of at least ${shortest} characters`, (text) => text.length >= shortest);
  if (secrets.length === 0) return exporter;
  // The longest first: one may begin with another.
  const all = secrets.toSorted((a, b) => b.length - a.length);
  const clean = (text: string): string => all.reduce((rest, secret) => rest.replaceAll(secret, hidden), text);
  return {
    export(spans, done) {
      for (const span of spans) cleanSpan(span, clean);
      exporter.export(spans, done);
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

type Clean = (text: string) => string;

// In place: a span is on its way out, and a copy of each would cost more than looking through it.
function cleanSpan(span: ReadableSpan, clean: Clean): void {
  const writable = span as { name: string; status: ReadableSpan['status'] };
  writable.name = clean(span.name);
  const { message } = span.status;
  if (message !== undefined) writable.status = { ...span.status, message: clean(message) };
  cleanAttributes(span.attributes, clean);
  for (const event of span.events) {
    event.name = clean(event.name);
    cleanAttributes(event.attributes, clean);
  }
  for (const link of span.links) cleanAttributes(link.attributes, clean);
}

function cleanAttributes(attributes: ReadableSpan['attributes'] | undefined, clean: Clean): void {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (attributes === undefined) return;
    if (typeof value === 'string') attributes[name] = clean(value);
    else if (Array.isArray(value))
      attributes[name] = value.map((one) => (typeof one === 'string' ? clean(one) : one)) as string[];
  }
}
