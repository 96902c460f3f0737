/**
 * Operations around an MCP transport, for client and server alike: a request that is sent or received is an `mcp.call` until its response.
 *
 * The context travels in `params._meta`, beside `progressToken`.
 *
 * @see https://modelcontextprotocol.io/seps/414-request-meta
 */
import { run } from '../context/context.ts';
import { extract, inject } from '../context/propagation.ts';
import { begin } from '../operations/begin.ts';
import type { OpenOperation } from '../operations/operation.ts';
import { mcpErrors } from './errors.ts';
import { cancellationOf, isRequest, isResponse, type McpRequest, type McpResponse } from './message.ts';

/** What is needed of a transport; every one of `@modelcontextprotocol/sdk` 1.x fits. */
export interface McpTransport {
  send(message: never, options?: never): Promise<void>;
  onmessage?: ((message: never, extra?: never) => void) | undefined;
  onclose?: (() => void) | undefined;
}

/**
 * A transport that says what goes over it. Give it to `client.connect` or `server.connect` in place of the one it wraps.
 *
 * @example
 * ```ts
 * await client.connect(instrumentMcpTransport(new StdioClientTransport({ command: 'server' })));
 * ```
 */
export function instrumentMcpTransport<T extends McpTransport>(transport: T): T {
  const calls = new McpCalls();
  const send = transport.send.bind(transport) as (message: unknown, options?: unknown) => Promise<void>;
  return new Proxy(transport, {
    get(target, key) {
      if (key === 'send')
        return (message: unknown, options?: unknown) => calls.outgoing(message, (sent) => send(sent, options));
      const member: unknown = Reflect.get(target, key, target);
      // The callbacks are the protocol's own; every method belongs to the transport.
      if (typeof member !== 'function' || String(key).startsWith('on')) return member;
      if (key !== 'close') return member.bind(target) as unknown;
      return (...args: readonly unknown[]): unknown => {
        calls.closing = true;
        return Reflect.apply(member, target, args);
      };
    },
    set(target, key, value: unknown) {
      return Reflect.set(target, key, wrapCallback(calls, key, value), target);
    },
  });
}

function wrapCallback(calls: McpCalls, key: string | symbol, value: unknown): unknown {
  if (typeof value !== 'function') return value;
  const callback = value as (...args: unknown[]) => unknown;
  if (key === 'onmessage')
    return (message: unknown, extra: unknown) => calls.incoming(message, () => callback(message, extra));
  if (key !== 'onclose') return value;
  return () => {
    calls.close();
    callback();
  };
}

type Calls = Map<string | number, OpenOperation<'mcp.call'>>;

/** Requests of both directions that wait for their response. The ids of each direction are its own. */
class McpCalls {
  readonly #sent: Calls = new Map();
  readonly #received: Calls = new Map();
  /** What is being handed on. The SDK's callback calls the one that was there before it. */
  #handling: unknown;
  /** Whether this side wants the end of the connection. */
  closing = false;

  /** Sends a message, with the context of the call in it where it is a request. */
  async outgoing(message: unknown, send: (message: unknown) => Promise<void>): Promise<void> {
    if (isResponse(message)) finish(this.#received, message);
    const cancellation = cancellationOf(message);
    if (cancellation !== undefined)
      cancel(this.#sent, cancellation.id, cancellation.timedOut ? 'timeout' : 'cancelled');
    if (!isRequest(message)) return send(message);
    const operation = open(this.#sent, message, 'client');
    try {
      await operation.run(() => send(withContext(message)));
    } catch (error) {
      this.#sent.delete(message.id);
      operation.fail(error);
      throw error;
    }
  }

  /** Hands a message on, in the context that came with it where it is a request. */
  incoming(message: unknown, handle: () => unknown): unknown {
    const outer = this.#handling;
    if (outer === message) return handle();
    this.#handling = message;
    try {
      return this.#handOn(message, handle);
    } finally {
      this.#handling = outer;
    }
  }

  #handOn(message: unknown, handle: () => unknown): unknown {
    if (isResponse(message)) finish(this.#sent, message);
    const cancellation = cancellationOf(message);
    if (cancellation !== undefined) cancel(this.#received, cancellation.id);
    if (!isRequest(message)) return handle();
    const meta = message.params?._meta ?? {};
    return run({ ...extract(textsOf(meta)), protocol: 'mcp' }, () =>
      open(this.#received, message, 'server').run(handle),
    );
  }

  /** The connection is gone: nobody will answer, and nobody waits for our answers. */
  close(): void {
    const lost = this.closing ? undefined : mcpErrors.CONNECTION_LOST();
    for (const operation of this.#sent.values()) {
      if (lost === undefined) operation.settle('cancelled');
      else operation.fail(lost);
      operation.end();
    }
    this.#sent.clear();
    for (const id of this.#received.keys()) cancel(this.#received, id);
  }
}

function open(calls: Calls, { id, method, params }: McpRequest, role: 'client' | 'server'): OpenOperation<'mcp.call'> {
  const operation = begin('mcp.call', { method, role });
  if (method === 'tools/call' && typeof params?.name === 'string') operation.set({ tool: params.name });
  // A peer that uses an id again has given up the request that had it.
  cancel(calls, id);
  calls.set(id, operation);
  return operation;
}

function finish(calls: Calls, { id, error, result }: McpResponse): void {
  const operation = calls.get(id);
  if (operation === undefined) return;
  calls.delete(id);
  if (error !== undefined) operation.set({ errorCode: error.code });
  if (error !== undefined || result?.isError === true) operation.settle('error');
  operation.end();
}

function cancel(calls: Calls, id: string | number, outcome: 'cancelled' | 'timeout' = 'cancelled'): void {
  const operation = calls.get(id);
  calls.delete(id);
  operation?.settle(outcome);
  operation?.end();
}

function withContext(request: McpRequest): McpRequest {
  const fields = inject({});
  if (Object.keys(fields).length === 0) return request;
  return { ...request, params: { ...request.params, _meta: { ...fields, ...request.params?._meta } } };
}

function textsOf(meta: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(meta).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
