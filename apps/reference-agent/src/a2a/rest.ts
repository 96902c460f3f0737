import type { IncomingMessage, ServerResponse } from 'node:http';
import { A2A_CONTENT_TYPE } from '@a2a-js/sdk';
import { ContentTypeNotSupportedError, RequestMalformedError, toRestErrorBody } from '@a2a-js/sdk/errors';
import type { A2ARequestHandler, User } from '@a2a-js/sdk/server';
import { restHandler } from '@a2a-js/sdk/server/express';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { errors } from '../errors.ts';
import { readJson } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import { describe, sendError, sendJson } from '../http/respond.ts';
import { pathOf, type Surface, type Work } from '../http/surface.ts';
import { Caller } from './caller.ts';
import { restPath } from './card.ts';
import { isMessage, notAMessage } from './message-shape.ts';
import { methodsAt, type RestRoute } from './rest-routes.ts';

export interface RestOptions {
  readonly handler: A2ARequestHandler;
  readonly work: Work;
}

/** The HTTP+JSON binding of A2A. The SDK has it only as a handler for Express, so Express serves these paths and no others. */
export function createRest({ handler, work }: RestOptions): Surface {
  const exchanges = new WeakMap<object, Exchange>();
  const app = createApp(handler, exchanges);
  return {
    protocol: 'a2a',
    name: 'rest',
    endpoint: 'a2a',
    endsWithClient: false,
    async read(exchange) {
      const { request, response } = exchange;
      try {
        const { name, message, stream } = routeOf(request);
        const body = await takeBody(request);
        if (couldForge(request, body)) throw errors.INVALID_MESSAGE({ problem: forged });
        if (message && !isMessage(body)) throw errors.INVALID_MESSAGE({ problem: notAMessage });
        exchanges.set(request, exchange);
        const answer = async (): Promise<void> => app(request, response);
        return { method: name, stream, answer: () => (message ? work(exchange, answer) : answer()) };
      } catch (error) {
        exchange.failed(error);
        return { method: 'rest', stream: false, answer: async () => refuse(response, error) };
      }
    },
  };
}

function createApp(handler: A2ARequestHandler, exchanges: WeakMap<object, Exchange>): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  const userBuilder = async (request: Request): Promise<User> => {
    const exchange = exchanges.get(request);
    if (exchange === undefined) throw new TypeError('A request came past the server.');
    return new Caller(exchange);
  };
  app.use((request, response, next) => {
    const json = response.json.bind(response);
    // The SDK's handler knows only errors of the protocol.
    response.json = (body: unknown) => {
      const exchange = exchanges.get(request);
      if (exchange?.refusal === undefined) return json(toldBody(exchange, body));
      sendError(response, exchange.refusal);
      return response;
    };
    next();
  });
  app.use(restPath, restHandler({ requestHandler: handler, userBuilder }));
  // Express knows a handler of errors by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const told = error instanceof URIError ? errors.INVALID_MESSAGE({ problem: malformedPath }) : error;
    exchanges.get(request)?.failed(told);
    refuse(response, told);
  });
  return app;
}

/** The SDK has the text of any error in its answer; of what is no error of the protocol clients get what the agent says to it. */
function toldBody(exchange: Exchange | undefined, body: unknown): unknown {
  const { error } = (body ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
  if (error?.code !== 500) return body;
  exchange?.failed(new Error(String(error.message)));
  return { error: { ...error, message: describe(exchange?.failure).message } };
}

const malformedPath = 'The path holds a % that begins no escape.';

function routeOf(request: IncomingMessage): RestRoute {
  const path = pathOf(request);
  const methods = methodsAt(path.slice(restPath.length));
  if (methods === undefined) throw errors.NOT_FOUND({ path });
  const route = methods[request.method ?? ''];
  if (route !== undefined) return route;
  throw errors.METHOD_NOT_ALLOWED({ method: request.method ?? '', allowed: Object.keys(methods).join(', ') });
}

const forged = 'A path and a query hold no control characters, and a tenant is a text without them.';

/** Of tenants that differ the SDK writes both into a line of its own; they must not make it two. */
function couldForge({ url = '' }: IncomingMessage, body: unknown): boolean {
  const tenant = (body as { readonly tenant?: unknown } | null | undefined)?.tenant ?? '';
  return /%(?:[01][\da-f]|7f)/i.test(url) || typeof tenant !== 'string' || /\p{Cc}/u.test(tenant);
}

/** Reads the body before Express would, with our limit and our refusals; its parser leaves a request alone that was read. */
async function takeBody(request: IncomingMessage & { body?: unknown }): Promise<unknown> {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody) request.body = await readJson(request, ['application/json', A2A_CONTENT_TYPE]);
  return request.body;
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const { status, message } = describe(error);
  const body = toRestErrorBody(
    status === 415 ? new ContentTypeNotSupportedError(message) : new RequestMalformedError(message),
    status,
  );
  sendJson(response, status, body, {
    'content-type': A2A_CONTENT_TYPE,
    ...(status === 413 && { connection: 'close' }),
  });
}
