/** One server per adapter, all with the same routes, so that the same cases run on each. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serve as serveHono } from '@hono/node-server';
import type { Clock, LimitCosts, LimitSubject } from '@sage-adk/core';
import express from 'express';
import express4 from 'express-4';
import Fastify from 'fastify';
import { type Context, Hono } from 'hono';
import * as forExpress from '../../../src/http/express.ts';
import * as forFastify from '../../../src/http/fastify.ts';
import * as forFetch from '../../../src/http/fetch.ts';
import type { FieldDialect } from '../../../src/http/fields.ts';
import type { ForwardedField } from '../../../src/http/forwarded.ts';
import type { Admission, HttpLimiter } from '../../../src/http/gate.ts';
import * as forHono from '../../../src/http/hono.ts';
import * as forNode from '../../../src/http/node.ts';

/** The options that mean the same to every adapter; functions read a header field in place of a request. */
export interface CommonOptions {
  readonly limiter: HttpLimiter;
  readonly subjectOf?: (field: (name: string) => string | undefined) => LimitSubject | undefined;
  readonly costs?: LimitCosts;
  /** Skips requests that have the field `x-skip`. */
  readonly skips?: boolean;
  readonly hold?: boolean;
  readonly headers?: FieldDialect;
  readonly partitionSecret?: string;
  readonly trustedProxies?: number;
  readonly forwardedField?: ForwardedField;
  readonly clock?: Clock;
  /** Answers denials with 418 and this text. */
  readonly denied?: string;
  /** Answers them by a promise that rejects. */
  readonly failsToDeny?: boolean;
}

/** What the routes do, under the control of a test. */
export interface Script {
  /** Seen by the route `/seen`. */
  saw(admission: Admission | undefined): void;
  /** `/stream` sends `first`, waits for this, and sends `last`. */
  readonly go: Promise<void>;
}

export interface Running {
  readonly port: number;
  /** Resolves when the server has seen every connection close. */
  readonly deserted: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export type Start = (options: CommonOptions, script: Script) => Promise<Running>;

export const adapters: Readonly<Record<string, Start>> = {
  node: (options, script) => {
    const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      if (request.url === '/throw') throw new Error('handler failed');
      answerNode(request.url, forNode.admissionOf(request), response, script);
    };
    const limited = forNode.rateLimit(listener, {
      ...rest(options),
      ...nodeFunctions(options),
      ...(options.denied !== undefined && {
        onDenied: (_denial, _request, response) => void response.writeHead(418).end(options.denied),
      }),
    });
    // What a listener throws is the server's: here it cuts the connection.
    return listen(
      createServer((request, response) => {
        void Promise.resolve(limited(request, response)).catch(() => response.destroy());
      }),
    );
  },
  'express 5': (options, script) => startExpress(express, options, script),
  'express 4': (options, script) => startExpress(express4, options, script),
  fastify: async (options, script) => {
    const app = Fastify();
    await app.register(forFastify.rateLimit, {
      ...rest(options),
      ...nodeFunctions(options),
      ...(options.denied !== undefined && {
        onDenied: (_denial: unknown, _request: unknown, reply: forFastify.FastifyReplyLike) => {
          reply.code(418);
          return reply.send(options.denied ?? '');
        },
      }),
    });
    app.setErrorHandler((_error, _request, reply) => reply.code(500).send('failed'));
    app.get('/', async () => 'hello');
    app.get('/throw', async () => Promise.reject(new Error('handler failed')));
    app.get('/seen', (request, reply) => {
      script.saw(forFastify.admissionOf(request));
      void reply.send('seen');
    });
    app.get('/stream', (_request, reply) => reply.send(Readable.from(chunks(script.go))));
    app.get('/broken', (_request, reply) => reply.send(Readable.from(chunks(script.go, true))));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return running(app.server);
  },
  hono: (options, script) => {
    const app = new Hono();
    app.use(
      forHono.rateLimit({
        ...rest(options),
        ...webFunctions<forHono.HonoContext>(options, (context, name) => context.req.header(name)),
        ...(options.denied !== undefined && { onDenied: () => new Response(options.denied, { status: 418 }) }),
      }),
    );
    app.onError(() => new Response('failed', { status: 500 }));
    const answer = (context: Context): Response => answerWeb(context.req.path, forHono.admissionOf(context), script);
    app.get('/seen', answer);
    app.all('*', answer);
    return serveWeb(app.fetch);
  },
  fetch: (options, script) => {
    const handler = forFetch.rateLimit(
      async (request) => answerWeb(new URL(request.url).pathname, forFetch.admissionOf(request), script),
      {
        ...rest(options),
        ...webFunctions<Request>(options, (request, name) => request.headers.get(name) ?? undefined),
        ...(options.denied !== undefined && { onDenied: () => new Response(options.denied, { status: 418 }) }),
      },
    );
    return serveWeb((request) => handler(request).catch(() => new Response('failed', { status: 500 })));
  },
};

function startExpress(make: typeof express, options: CommonOptions, script: Script): Promise<Running> {
  const app = make();
  app.use(
    forExpress.rateLimit({
      ...rest(options),
      ...nodeFunctions(options),
      ...(options.denied !== undefined && {
        onDenied: (_denial: unknown, _request: unknown, response: ServerResponse) =>
          void response.writeHead(418).end(options.denied),
      }),
    }),
  );
  app.use((request, response) => {
    if (request.url === '/throw') throw new Error('handler failed');
    answerNode(request.url, forExpress.admissionOf(request), response, script);
  });
  app.use((_error: unknown, _request: unknown, response: ServerResponse, _next: unknown) => {
    response.writeHead(500).end('failed');
  });
  return listen(createServer(app));
}

function rest({ limiter, failsToDeny, ...options }: CommonOptions) {
  const { hold, headers, partitionSecret, trustedProxies, forwardedField, clock } = options;
  return {
    limiter,
    ...(failsToDeny === true && { onDenied: () => Promise.reject(new Error('failed to deny')) }),
    ...(hold !== undefined && { hold }),
    ...(headers !== undefined && { headers }),
    ...(partitionSecret !== undefined && { partitionSecret }),
    ...(trustedProxies !== undefined && { trustedProxies }),
    ...(forwardedField !== undefined && { forwardedField }),
    ...(clock !== undefined && { clock }),
  };
}

function nodeFunctions(options: CommonOptions) {
  const field = (request: { readonly headers?: object; readonly raw?: IncomingMessage }, name: string) =>
    ((request.raw ?? request).headers as Record<string, string | undefined>)[name];
  return webFunctions(options, field, false);
}

function webFunctions<R extends object>(
  { subjectOf, costs, skips, trustedProxies = 0 }: CommonOptions,
  field: (request: R, name: string) => string | undefined,
  needsSubject = true,
) {
  const subject = subjectOf ?? (needsSubject && trustedProxies === 0 ? () => undefined : undefined);
  return {
    ...(subject !== undefined && { subjectOf: (request: R) => subject((name) => field(request, name)) }),
    ...(costs !== undefined && { costOf: () => costs }),
    ...(skips && { skip: (request: R) => field(request, 'x-skip') !== undefined }),
  };
}

function answerNode(
  url: string | undefined,
  admission: Admission | undefined,
  response: ServerResponse,
  script: Script,
): void {
  if (url === '/seen') {
    script.saw(admission);
    response.end('seen');
  } else if (url === '/stream' || url === '/broken') {
    const source = Readable.from(chunks(script.go, url === '/broken'));
    source.on('error', () => response.destroy());
    response.on('close', () => source.destroy());
    source.pipe(response);
  } else {
    response.end('hello');
  }
}

function answerWeb(path: string, admission: Admission | undefined, script: Script): Response {
  if (path === '/throw') throw new Error('handler failed');
  if (path === '/redirect') return Response.redirect('http://127.0.0.1/', 302);
  if (path === '/seen') script.saw(admission);
  if (path !== '/stream' && path !== '/broken') return new Response(path === '/seen' ? 'seen' : 'hello');
  const source = chunks(script.go, path === '/broken');
  return new Response(
    new ReadableStream({
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(new TextEncoder().encode(value));
      },
      cancel: () => void source.return(undefined),
    }),
  );
}

async function* chunks(go: Promise<void>, breaks = false): AsyncGenerator<string, undefined> {
  yield 'first';
  await go;
  if (breaks) throw new Error('stream failed');
  yield 'last';
  return undefined;
}

async function serveWeb(fetch: (request: Request) => Response | Promise<Response>): Promise<Running> {
  return new Promise((resolve) => {
    const server = serveHono({ fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(running(server as Server)));
  });
}

async function listen(server: Server): Promise<Running> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return running(server);
}

function running(server: Server): Running {
  return {
    port: (server.address() as AddressInfo).port,
    async deserted() {
      while ((await promisify(server.getConnections.bind(server))()) > 0) await setImmediate();
      await setImmediate();
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
