/**
 * Operations around the A2A SDK, without importing it: a client's calls are `a2a.send`, a server's `a2a.receive`.
 *
 * The SDK's own interceptors are not told of errors, nor of the end of a stream, so the methods themselves are wrapped.
 */
import { current, run } from '../context/context.ts';
import { extract, inject } from '../context/propagation.ts';
import type { HeaderFields } from '../errors/retry-after.ts';
import { operate } from '../operations/operate.ts';
import { operateStream } from '../operations/operate-stream.ts';
import type { Operation } from '../operations/operation.ts';
import { isFailure, learn } from './outcome.ts';

/**
 * A client that says what it does and carries the request id, the deadline and the trace to the other agent.
 *
 * @param client a `Client` of `@a2a-js/sdk` 1.x, or anything with its methods; it is not changed.
 * @example
 * ```ts
 * const client = instrumentA2aClient(await new ClientFactory().createFromUrl(url));
 * ```
 */
export function instrumentA2aClient<C extends object>(client: C): C {
  return instrument(client, 'a2a.send', {
    around: (_, call) => call(),
    pass([params, options, ...rest]) {
      const given = options as { serviceParameters?: Record<string, string> } | undefined;
      return [params, { ...given, serviceParameters: inject({ ...given?.serviceParameters }) }, ...rest];
    },
  });
}

export interface A2aHandlerOptions {
  /**
   * The header fields of a request, from the SDK's `ServerCallContext`; they become the context of the call.
   *
   * @default those that the SDK's servers keep in its state, unless the HTTP layer has made a context already
   */
  readonly carrierOf?: (serverCallContext: unknown) => HeaderFields | undefined;
}

/**
 * A request handler whose calls are operations, in the context that came with the request.
 *
 * @param handler an `A2ARequestHandler` of `@a2a-js/sdk` 1.x, or anything with its methods; it is not changed.
 * @example
 * ```ts
 * const handler = instrumentA2aHandler(new DefaultRequestHandler(card, taskStore, executor));
 * ```
 */
export function instrumentA2aHandler<H extends object>(
  handler: H,
  { carrierOf = keptFieldsOf }: A2aHandlerOptions = {},
): H {
  return instrument(handler, 'a2a.receive', {
    around([, context], call) {
      const carrier = carrierOf(context);
      return carrier === undefined ? call() : run(extract(carrier), call);
    },
    pass: (args) => args,
  });
}

function keptFieldsOf(context: unknown): HeaderFields | undefined {
  const outer = current();
  if (outer?.requestId !== undefined || outer?.carrier !== undefined) return undefined;
  const { state } = (context ?? {}) as { readonly state?: { get?(key: string): unknown } };
  const fields = state?.get?.('headers');
  return typeof fields === 'object' && fields !== null ? (fields as HeaderFields) : undefined;
}

type Arguments = readonly unknown[];

interface Hooks {
  /** Calls `call` with the operation in it, so that this decides the operation's context. */
  readonly around: <R>(args: Arguments, call: () => R) => R;
  /** The arguments that go on, made inside the operation. */
  readonly pass: (args: Arguments) => Arguments;
}

/** Names of the protocol for the methods of the SDK; what is not here passes through. */
const unary = new Map(
  Object.entries({
    sendMessage: 'SendMessage',
    getTask: 'GetTask',
    listTasks: 'ListTasks',
    cancelTask: 'CancelTask',
    createTaskPushNotificationConfig: 'CreateTaskPushNotificationConfig',
    getTaskPushNotificationConfig: 'GetTaskPushNotificationConfig',
    listTaskPushNotificationConfig: 'ListTaskPushNotificationConfigs',
    listTaskPushNotificationConfigs: 'ListTaskPushNotificationConfigs',
    deleteTaskPushNotificationConfig: 'DeleteTaskPushNotificationConfig',
    getAuthenticatedExtendedAgentCard: 'GetExtendedAgentCard',
  }),
);
const streaming = new Map(
  Object.entries({
    sendMessageStream: 'SendStreamingMessage',
    resubscribe: 'SubscribeToTask',
    resubscribeTask: 'SubscribeToTask',
  }),
);

function instrument<T extends object>(target: T, name: 'a2a.send' | 'a2a.receive', { around, pass }: Hooks): T {
  // Of a frozen one no proxy may give another method.
  return new Proxy(Object.isFrozen(target) ? (Object.create(target) as T) : target, {
    get(_, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function' || typeof key !== 'string') return member;
      const invoke = (args: Arguments): unknown => Reflect.apply(member, target, pass(args));
      const method = unary.get(key);
      if (method !== undefined) {
        return (...args: Arguments) => around(args, () => observeCall(name, method, () => invoke(args)));
      }
      const stream = streaming.get(key);
      if (stream !== undefined) {
        return (...args: Arguments) => relay(around(args, () => observeStream(name, stream, () => invoke(args))));
      }
      return member.bind(target) as unknown;
    },
  });
}

function observeCall(name: 'a2a.send' | 'a2a.receive', method: string, call: () => unknown): Promise<unknown> {
  return operate(name, { method, stream: false }, (operation) =>
    Promise.resolve(call()).then((answer) => {
      note(operation, answer);
      return answer;
    }),
  );
}

function observeStream(name: 'a2a.send' | 'a2a.receive', method: string, call: () => unknown): AsyncIterable<unknown> {
  return operateStream(name, { method, stream: true }, async function* (operation) {
    for await (const event of call() as AsyncIterable<unknown>) {
      note(operation, event);
      yield event;
    }
  });
}

// The SDK promises a generator, so that is what it stays.
async function* relay(stream: AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
  yield* stream;
}

function note(operation: Operation<'a2a.send'> | Operation<'a2a.receive'>, answer: unknown): void {
  const learned = learn(answer);
  operation.set(learned);
  if (isFailure(learned)) operation.settle('error');
}
