import {
  type Context,
  context,
  type ContextManager,
  propagation,
  type TextMapPropagator,
  trace,
  type TracerProvider,
} from '@opentelemetry/api';
import { type ActiveContext, ownActiveContext } from '../context/active-context.ts';
import { carrierFields, withRemote, writeRemote } from '../context/propagation.ts';

/**
 * Makes `provider`, our context manager and W3C propagation the global ones of OpenTelemetry, as far as nobody was first. Disposing takes back what was registered.
 */
export function registerGlobals(provider: TracerProvider): Disposable {
  const registered = [
    { api: trace, isOurs: trace.setGlobalTracerProvider(provider) },
    { api: context, isOurs: context.setGlobalContextManager(createContextManager()) },
    { api: propagation, isOurs: propagation.setGlobalPropagator(w3cPropagator) },
  ];
  return {
    [Symbol.dispose]() {
      for (const { api, isOurs } of registered) if (isOurs) api.disable();
    },
  };
}

/** Event emitters need no binding: their listeners run in the context of `emit`. */
function createContextManager(): ContextManager {
  const own = ownActiveContext();
  const manager: ContextManager = {
    ...own,
    bind: <T>(active: Context, target: T) =>
      typeof target === 'function' ? (bound(own, active, target as unknown as Call) as T) : target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

type Call = (...args: unknown[]) => unknown;

function bound(own: ActiveContext, active: Context, target: Call): Call {
  return new Proxy(target, {
    apply: (call, self, args: unknown[]) => own.with(active, () => Reflect.apply(call, self, args)),
  });
}

const w3cPropagator: TextMapPropagator = {
  fields: () => [...carrierFields],
  inject(active, carrier, setter) {
    const fields: Record<string, string> = {};
    writeRemote(active, fields);
    for (const [name, value] of Object.entries(fields)) setter.set(carrier, name, value);
  },
  extract(active, carrier, getter) {
    const fields: Record<string, string> = {};
    for (const name of carrierFields) {
      const value = getter.get(carrier, name);
      const first = Array.isArray(value) ? value[0] : value;
      if (typeof first === 'string') fields[name] = first;
    }
    return withRemote(active, fields);
  },
};
