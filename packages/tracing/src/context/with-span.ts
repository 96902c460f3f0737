/** A context with a span in it, for every operation: what `trace.setSpan` makes, without a copy of all its values. */
import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/** `outer` with `span` as its active span. */
export function withSpan(outer: Context, span: Span): Context {
  return new SpanOver(outer, span);
}

class SpanOver implements Context {
  readonly #outer: Context;
  readonly #span: Span;

  constructor(outer: Context, span: Span) {
    // A span within a span hides it: contexts must not grow into a chain of all that were.
    this.#outer = outer instanceof SpanOver ? outer.#outer : outer;
    this.#span = span;
  }

  getValue(key: symbol): unknown {
    return key === spanKey ? this.#span : this.#outer.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return trace.setSpan(this.#outer, this.#span).setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return trace.setSpan(this.#outer, this.#span).deleteValue(key);
  }
}

/** The key of the active span, which the API keeps to itself: what it sets tells. */
const spanKey = keyOfSpan();

function keyOfSpan(): symbol | undefined {
  let found: symbol | undefined;
  const probe: Context = {
    getValue: () => undefined,
    setValue(key) {
      found = key;
      return ROOT_CONTEXT;
    },
    deleteValue: () => ROOT_CONTEXT,
  };
  trace.setSpan(probe, trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }));
  return found;
}
