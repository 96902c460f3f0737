/**
 * Links between tries: a try is an event, so the first span of each is what can be linked, to that of the try before.
 *
 * Tries of one call are told from others by where they run and what they depend on. Where two calls at a time could be meant, nothing is linked: a link that
 * is missing does less harm than one that is wrong.
 */
import {
  type Context,
  createContextKey,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import type { OperationRecord } from '@sage-adk/core';

const tryKey = createContextKey('@sage-adk/tracing try');
const mostWaiting = 16;

interface Facts {
  readonly dependency: string;
  readonly attempt: number;
}

/** A try that runs. */
class Try {
  readonly outerSpan: Span | undefined;
  readonly previous: SpanContext | undefined;
  first: SpanContext | undefined;

  constructor(outerSpan: Span | undefined, previous: SpanContext | undefined) {
    this.outerSpan = outerSpan;
    this.previous = previous;
  }
}

export class Tries {
  /** Tries that failed and are tried again, by where they ran. */
  readonly #waiting: WeakMap<object, (Facts & { readonly span: SpanContext | undefined })[]> = new WeakMap();

  /** The context that a try runs in. */
  begin(active: Context, { start, context }: OperationRecord): Context {
    const place = placeOf(active, context);
    const waiting = (place && this.#waiting.get(place)) ?? [];
    const { dependency, attempt } = start as Facts;
    const before = waiting.filter((one) => one.dependency === dependency && one.attempt === attempt - 1);
    // None is known to be ours where there are several, so none is taken out.
    const [only] = before;
    const previous = before.length === 1 ? only?.span : undefined;
    if (before.length === 1 && only !== undefined) waiting.splice(waiting.indexOf(only), 1);
    return active.setValue(tryKey, new Try(trace.getSpan(active), previous));
  }

  end(outer: Context, within: Context, { start, attributes, context }: OperationRecord): void {
    const place = placeOf(outer, context);
    const isTriedAgain = (attributes as { readonly delayMs?: number }).delayMs !== undefined;
    if (place === undefined || !isTriedAgain) return;
    const waiting = this.#waiting.get(place) ?? [];
    this.#waiting.set(place, waiting);
    const { dependency, attempt } = start as Facts;
    if (waiting.length < mostWaiting) waiting.push({ dependency, attempt, span: tryOf(within)?.first });
  }
}

/** What the next span in `active` links to. */
export function linksOfTry(active: Context): Link[] {
  const running = tryOf(active);
  if (running?.previous === undefined || running.first !== undefined || running.outerSpan !== trace.getSpan(active))
    return [];
  return [{ context: running.previous, attributes: { 'sage.link': 'retry' } }];
}

/** Notes a span that was begun in `active`. */
export function noteSpanOfTry(active: Context, span: Span): void {
  const running = tryOf(active);
  if (running !== undefined && running.outerSpan === trace.getSpan(active)) running.first ??= span.spanContext();
}

function tryOf(context: Context): Try | undefined {
  return context.getValue(tryKey) as Try | undefined;
}

/** Outside of any span the request tells calls apart. */
function placeOf(active: Context, request: object | undefined): object | undefined {
  return active === ROOT_CONTEXT ? request : active;
}
