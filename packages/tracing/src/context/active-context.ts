/**
 * Which span is active: through the context manager that is registered with OpenTelemetry, or through one of our own where there is none.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, type ContextManager, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/** What tracing needs of a context manager. */
export type ActiveContext = Pick<ContextManager, 'active' | 'with'>;

/**
 * The registered context manager if this copy of `@opentelemetry/api` reaches it, so that our spans and the user's nest in each other; else one of our own.
 *
 * Without a manager `context.with` does nothing, hence the trial.
 */
export function findActiveContext(): ActiveContext {
  const probe = ROOT_CONTEXT.setValue(createContextKey('@sage-adk/tracing probe'), true);
  if (context.with(probe, () => context.active() === probe)) return context;
  const registered = (globalThis as { [registryKey]?: { readonly version: string; readonly context?: unknown } })[
    registryKey
  ];
  if (registered?.context !== undefined) {
    process.emitWarning(
      `Spans of @sage-adk/tracing will not nest in others: those are managed by @opentelemetry/api ${registered.version}, another copy than its own. Install one version.`,
      { code: 'SAGE_TRACING_SECOND_API' },
    );
  }
  return ownActiveContext();
}

const registryKey = Symbol.for('opentelemetry.js.api.1');

/** The active context in AsyncLocalStorage. */
export function ownActiveContext(): ActiveContext {
  const storage = new AsyncLocalStorage<Context>();
  return {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with(active, call, thisArg, ...args) {
      if (thisArg === undefined && args.length === 0) return storage.run(active, call as () => ReturnType<typeof call>);
      return storage.run(active, () => call.apply(thisArg as ThisParameterType<typeof call>, args));
    },
  };
}
