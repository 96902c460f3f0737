import {
  A2A_VERSION_HEADER,
  type AgentCard,
  CancelTaskRequest,
  DeleteTaskPushNotificationConfigRequest,
  Extensions,
  formatSSEErrorEvent,
  formatSSEEvent,
  GetExtendedAgentCardRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  HTTP_EXTENSION_HEADER,
  ListTaskPushNotificationConfigsRequest,
  ListTasksRequest,
  SendMessageRequest,
  SubscribeToTaskRequest,
  TaskPushNotificationConfig,
} from '@a2a-js/sdk';
import { A2A_ERROR_CODE, ContentTypeNotSupportedError, RequestMalformedError } from '@a2a-js/sdk/errors';
import {
  type A2ARequestHandler,
  JsonRpcTransportHandler,
  ServerCallContext,
  validateVersion,
} from '@a2a-js/sdk/server';
import { headerOf, isSageError } from '@sage-adk/core';
import { errors } from '../errors.ts';
import { readJson } from '../http/body.ts';
import { openEventStream, writeEvents } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import { describe, sendError, sendJson } from '../http/respond.ts';
import type { Surface, Work } from '../http/surface.ts';
import { Caller } from './caller.ts';
import { canRead, notAMessage, type Shape } from './message-shape.ts';

export interface JsonRpcOptions {
  readonly handler: A2ARequestHandler;
  readonly card: AgentCard;
  readonly work: Work;
}

/** The JSON-RPC binding of A2A, streams included, on the SDK's transport and without a framework. */
export function createJsonRpc({ handler, card, work }: JsonRpcOptions): Surface {
  const transport = new JsonRpcTransportHandler(handler);
  return {
    protocol: 'a2a',
    name: 'jsonrpc',
    endpoint: 'a2a',
    endsWithClient: false,
    async read(exchange) {
      const { request, response } = exchange;
      if (request.method !== 'POST') throw errors.METHOD_NOT_ALLOWED({ method: request.method ?? '', allowed: 'POST' });
      try {
        const call = callOf(await readJson(request, ['application/json']));
        const { id, method } = call;
        const answer = (): Promise<void> => respond(transport, card, exchange, call);
        const streamed = streams.has(method);
        if (messages.has(method)) return { method, stream: streamed, answer: () => work(exchange, answer) };
        if (methods.has(method)) return { method, stream: streamed, answer };
        const unknown = envelope(id, {
          code: A2A_ERROR_CODE.METHOD_NOT_FOUND,
          message: `There is no method "${method}".`,
        });
        return { method: 'jsonrpc', stream: false, answer: async () => sendJson(response, 200, unknown) };
      } catch (error) {
        exchange.failed(error);
        return { method: 'jsonrpc', stream: false, answer: async () => refuse(exchange, error) };
      }
    },
  };
}

interface RpcCall {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly id?: string | number | null;
  readonly params?: unknown;
}

/** What a message starts, and what the SDK answers with a stream. */
const messages: ReadonlySet<string> = new Set(['SendMessage', 'SendStreamingMessage']);
const streams: ReadonlySet<string> = new Set(['SendStreamingMessage', 'SubscribeToTask']);

/** The methods of A2A 1.0, and what their parameters are. */
const methods: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['SendMessage', SendMessageRequest],
  ['SendStreamingMessage', SendMessageRequest],
  ['SubscribeToTask', SubscribeToTaskRequest],
  ['GetTask', GetTaskRequest],
  ['ListTasks', ListTasksRequest],
  ['CancelTask', CancelTaskRequest],
  ['CreateTaskPushNotificationConfig', TaskPushNotificationConfig],
  ['GetTaskPushNotificationConfig', GetTaskPushNotificationConfigRequest],
  ['ListTaskPushNotificationConfigs', ListTaskPushNotificationConfigsRequest],
  ['DeleteTaskPushNotificationConfig', DeleteTaskPushNotificationConfigRequest],
  ['GetExtendedAgentCard', GetExtendedAgentCardRequest],
]);

const unreadable = 'The parameters do not have the shape that this method asks for.';

function callOf(body: unknown): RpcCall {
  const call = body as Partial<RpcCall> | null;
  const isCall =
    typeof call === 'object' &&
    call?.jsonrpc === '2.0' &&
    typeof call.method === 'string' &&
    (call.id == null || typeof call.id === 'string' || Number.isInteger(call.id));
  if (isCall) return call as RpcCall;
  throw errors.INVALID_MESSAGE({
    problem: 'The body is not a JSON-RPC 2.0 request: one object with jsonrpc, method and id.',
  });
}

async function respond(
  transport: JsonRpcTransportHandler,
  card: AgentCard,
  exchange: Exchange,
  call: RpcCall,
): Promise<void> {
  const { request, response } = exchange;
  try {
    const context = new ServerCallContext({
      user: new Caller(exchange),
      requestedExtensions: Extensions.parseServiceParameter(
        headerOf(request.headers, HTTP_EXTENSION_HEADER.toLowerCase()),
      ),
      ...versionOf(exchange),
    });
    const shape = methods.get(call.method);
    if (shape !== undefined && !canRead(shape, call.params)) {
      throw new RequestMalformedError(messages.has(call.method) ? notAMessage : unreadable);
    }
    validateVersion(context.requestedVersion, card, 'JSONRPC');
    const result = await transport.handle(call as RpcCall & Record<string, unknown>, context);
    if (exchange.refusal !== undefined) return sendError(response, exchange.refusal);
    if (context.activatedExtensions !== undefined)
      response.setHeader(HTTP_EXTENSION_HEADER, context.activatedExtensions);
    if (Symbol.asyncIterator in result) await stream(exchange, call, result);
    else {
      const { error } = result as { readonly error?: RpcError };
      sendJson(response, 200, error === undefined ? result : envelope(call.id, told(exchange, error)));
    }
  } catch (error) {
    sendJson(response, 200, envelope(call.id, toldBy(exchange, error)));
  }
}

async function stream(exchange: Exchange, { id }: RpcCall, events: AsyncGenerator): Promise<void> {
  const { response } = exchange;
  // An error before the first event is still a plain answer.
  let next = await events.next();
  openEventStream(response);
  try {
    // Read to the end even where the client is gone: reading is what moves the task on, and the client may come back for it.
    for (; !next.done; next = await events.next()) await writeEvents(response, formatSSEEvent(next.value));
  } catch (error) {
    exchange.failed(error);
    await writeEvents(response, formatSSEErrorEvent(envelope(id, toldBy(exchange, error))));
  }
  response.end();
}

function versionOf({ request }: Exchange): { requestedVersion?: string } {
  const requestedVersion = headerOf(request.headers, A2A_VERSION_HEADER.toLowerCase());
  return requestedVersion === undefined || requestedVersion === '' ? {} : { requestedVersion };
}

function refuse({ response }: Exchange, error: unknown): void {
  if (!isSageError(error)) throw error;
  const { status, message } = error;
  if (status === 413)
    sendJson(response, status, envelope(null, { code: A2A_ERROR_CODE.INVALID_REQUEST, message }), {
      connection: 'close',
    });
  else if (status === 415)
    sendJson(
      response,
      status,
      envelope(null, JsonRpcTransportHandler.mapToJSONRPCError(new ContentTypeNotSupportedError(message))),
    );
  else sendJson(response, 200, envelope(null, { code: codeOf(error), message }));
}

function codeOf(error: unknown): number {
  return isSageError(error, errors.MALFORMED_JSON.code) ? A2A_ERROR_CODE.PARSE_ERROR : A2A_ERROR_CODE.INVALID_REQUEST;
}

type RpcError = ReturnType<typeof JsonRpcTransportHandler.mapToJSONRPCError>;

function toldBy(exchange: Exchange, error: unknown): RpcError {
  return told(exchange, JsonRpcTransportHandler.mapToJSONRPCError(error), error);
}

/** The SDK has the text of any error in its own; of what is no error of the protocol clients get what the agent says to it. */
function told(exchange: Exchange, said: RpcError, error: unknown = new Error(said.message)): RpcError {
  if (said.code !== A2A_ERROR_CODE.INTERNAL_ERROR) return said;
  exchange.failed(error);
  return { code: said.code, message: describe(exchange.failure).message };
}

function envelope(id: RpcCall['id'], error: RpcError) {
  return { jsonrpc: '2.0', id: id ?? null, error };
}
