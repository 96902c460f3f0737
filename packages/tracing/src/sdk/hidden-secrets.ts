/** Takes secrets out of spans on their way out: providers put keys into the messages of errors, and stacks repeat them. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { requireOption } from '@sage-adk/core';
import { longestText } from '../spans/attributes.ts';

const shortest = 6;
const hidden = '[redacted]';

/**
 * An exporter whose spans have none of `secrets` in their names, attributes, events, links and status, nor in JSON within those, nor six characters or more of
 * one where a text is cut.
 *
 * @throws SAGE_CORE_INVALID_OPTION for one of less than 6 characters
 */
export function hideSecrets(exporter: SpanExporter, secrets: readonly string[]): SpanExporter {
  // An error about a secret must not tell it.
  const areLongEnough = secrets.every((secret) => typeof secret === 'string' && secret.length >= shortest);
  requireOption('secrets', hidden, `texts of at least ${shortest} characters`, () => areLongEnough);
  if (secrets.length === 0) return exporter;
  // The longest first: one may begin with another.
  const all = [...new Set(secrets.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  const clean = (text: string): string => {
    const rest = all.reduce((left, secret) => left.replaceAll(secret, hidden), text);
    return text.length === longestText ? withoutCut(rest, all) : rest;
  };
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

/** A text as it is, in JSON, and in JSON that is a text in JSON. */
function formsOf(text: string): readonly string[] {
  return [text, inJson(text), inJson(inJson(text))];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Where a long text was cut, a secret may have been cut with it. */
function withoutCut(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= shortest; length--)
      if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + hidden;
  }
  return text;
}

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
    const cleanName = clean(name);
    if (cleanName !== name) delete attributes[name];
    if (typeof value === 'string') attributes[cleanName] = clean(value);
    else if (Array.isArray(value))
      attributes[cleanName] = value.map((one) => (typeof one === 'string' ? clean(one) : one)) as string[];
    else attributes[cleanName] = value;
  }
}
