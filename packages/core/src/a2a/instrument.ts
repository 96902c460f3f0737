/**
 * Operations around the A2A SDK, without importing it: a client's calls are `a2a.send`, a server's `a2a.receive`.
 *
 * The SDK's own interceptors are not told of errors, nor of the end of a stream, so the methods themselves are wrapped.
 */
import { inject, extract } from '../context/propagation.ts';
import { run } from '../context/context.ts';
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
  return instrument(client, 'a2a.send', (call, [params, options]) => {
    const given = options as { serviceParameters?: Record<string, string> } | undefined;
    return call([params, { ...given, serviceParameters: inject({ ...given?.serviceParameters }) }]);
  });
}

export interface A2aHandlerOptions {
  /** The header fields of the request, for servers whose HTTP layer has not put them into the context yet. */
  readonly carrierOf?: (serverCallContext: unknown) => HeaderFields | undefined;
}

/**
 * A request handler whose calls are operations.
 *
 * @param handler an `A2ARequestHandler` of `@a2a-js/sdk` 1.x, or anything with its methods; it is not changed.
 */
export function instrumentA2aHandler<H extends object>(handler: H, { carrierOf }: A2aHandlerOptions = {}): H {
  return instrument(handler, 'a2a.receive', (call, args) => {
    const carrier = carrierOf?.(args[1]);
    return carrier === undefined ? call(args) : run(extract(carrier), () => call(args));
  });
}

type Call = (args: readonly unknown[]) => unknown;

/** Names of the protocol for the methods of the SDK; what is not here passes through. */
const unary: Readonly<Record<string, string>> = {
  sendMessage: 'SendMessage',
  getTask: 'GetTask',
  listTasks: 'ListTasks',
  cancelTask: 'CancelTask',
  createTaskPushNotificationConfig: 'CreateTaskPushNotificationConfig',
  getTaskPushNotificationConfig: 'GetTaskPushNotificationConfig',
  listTaskPushNotificationConfig: 'ListTaskPushNotificationConfigs',
  listTaskPushNotificationConfigs: 'ListTaskPushNotificationConfigs',
  deleteTaskPushNotificationConfig: 'DeleteTaskPushNotificationConfig',
};
const streaming: Readonly<Record<string, string>> = {
  sendMessageStream: 'SendStreamingMessage',
  resubscribe: 'SubscribeToTask',
  resubscribeTask: 'SubscribeToTask',
};

function instrument<T extends object>(
  target: T,
  name: 'a2a.send' | 'a2a.receive',
  around: (call: Call, args: readonly unknown[]) => unknown,
): T {
  return new Proxy(target, {
    get(_, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function' || typeof key !== 'string') return member;
      const invoke: Call = (args) => Reflect.apply(member, target, args);
      const method = unary[key];
      if (method !== undefined) return (...args: unknown[]) => observeCall(name, method, () => around(invoke, args));
      const stream = streaming[key];
      if (stream !== undefined) return (...args: unknown[]) => observeStream(name, stream, () => around(invoke, args));
      return member.bind(target) as unknown;
    },
  });
}

function observeCall(name: 'a2a.send' | 'a2a.receive', method: string, call: () => unknown): Promise<unknown> {
  return operate(name, { method, stream: false }, async (operation) => {
    const answer = await call();
    note(operation, answer);
    return answer;
  });
}

// The SDK promises a generator, so that is what it stays.
async function* observeStream(
  name: 'a2a.send' | 'a2a.receive',
  method: string,
  call: () => unknown,
): AsyncGenerator<unknown, void> {
  yield* operateStream(name, { method, stream: true }, async function* (operation) {
    for await (const event of call() as AsyncIterable<unknown>) {
      note(operation, event);
      yield event;
    }
  });
}

function note(operation: Operation<'a2a.send'> | Operation<'a2a.receive'>, answer: unknown): void {
  const learned = learn(answer);
  operation.set(learned);
  if (isFailure(learned)) operation.settle('error');
}
