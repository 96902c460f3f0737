import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  type Clock,
  type Context,
  emit,
  extract,
  type Principal,
  run,
  type StartOf,
  systemClock,
} from '@sage-adk/core';
import { errors } from '../errors.ts';
import { createExchange, type Exchange } from './exchange.ts';
import type { Identify } from './identify.ts';
import { sendError } from './respond.ts';
import { pathOf, type Surface, surfaceAt, type Surfaces } from './surface.ts';
import { endInTime } from './time-limit.ts';

export interface PipelineOptions {
  readonly surfaces: Surfaces;
  readonly identify: Identify;
  /** Whether the request may go on; otherwise it has been answered. */
  readonly admit: (exchange: Exchange, surface: Surface) => boolean;
  readonly agentId: string;
  /** Milliseconds until an answer is given up; a request may ask for less. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/** What stands between the server and the surfaces. */
export interface Pipeline {
  readonly listener: RequestListener;
  /** From here on each answer is the last of its connection: a client that keeps sending must not keep the server from closing. */
  lastAnswers(): void;
  /** Gives up whatever is still being answered or worked on. */
  abortAll(reason: unknown): void;
}

/** What every request passes, in this order: who sent it, its context, the limits, what it asks for, its operation, the answer. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const live = new Set<Exchange>();
  let last = false;
  return {
    listener(request, response) {
      const surface = surfaceAt(options.surfaces, pathOf(request));
      const principal = surface.open ? anybody : options.identify(request);
      const controller = new AbortController();
      const context = contextOf(request, surface, principal, controller.signal, options);
      response.setHeader('x-request-id', context.requestId ?? '');
      if (last) response.shouldKeepAlive = false;
      run(context, () => serve(options, live, surface, { request, response, principal, controller }));
    },
    lastAnswers() {
      last = true;
      for (const { response } of live) response.shouldKeepAlive = false;
    },
    abortAll(reason) {
      for (const exchange of live) exchange.abort(reason);
    },
  };
}

/** Who reads an open surface: it doesn't matter. */
const anybody: Principal = { kind: 'address', id: '' };

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly principal: Principal | undefined;
  readonly controller: AbortController;
}

function contextOf(
  request: IncomingMessage,
  { protocol }: Surface,
  principal: Principal | undefined,
  signal: AbortSignal,
  { agentId, timeoutMs, clock = systemClock }: PipelineOptions,
): Context {
  const { requestId = randomUUID(), deadlineMs, carrier } = extract(request.headers, clock);
  const latestMs = clock.monotonicMs() + timeoutMs;
  return {
    requestId,
    agentId,
    protocol,
    signal,
    deadlineMs: deadlineMs === undefined ? latestMs : Math.min(deadlineMs, latestMs),
    ...(carrier !== undefined && { carrier }),
    ...(principal !== undefined && principal !== anybody && { principal, userId: principal.id }),
  };
}

function serve(options: PipelineOptions, live: Set<Exchange>, surface: Surface, arrival: Arrival): void {
  const { request, principal } = arrival;
  const exchange = createExchange({
    ...arrival,
    principal: principal ?? anybody,
    endsWithClient: surface.endsWithClient,
  });
  if (principal === undefined) {
    emit('security.violation', { kind: 'authentication', reason: hasKey(request) ? 'unknown_key' : 'missing_key' });
    return fail(exchange, surface, errors.UNAUTHORIZED());
  }
  if (surface.open !== true && !options.admit(exchange, surface)) return exchange.begin(nothingAsked(surface));
  live.add(exchange);
  const limit = endInTime(exchange, options.clock ?? systemClock);
  void exchange.settled().then(() => {
    limit.cancel();
    live.delete(exchange);
  });
  answer(exchange, surface).catch((error: unknown) => fail(exchange, surface, error));
}

async function answer(exchange: Exchange, surface: Surface): Promise<void> {
  const call = await surface.read(exchange);
  exchange.begin({ protocol: surface.protocol, method: call.method, stream: call.stream });
  await exchange.run(() => call.answer());
}

function fail(exchange: Exchange, surface: Surface, error: unknown): void {
  exchange.begin(nothingAsked(surface));
  exchange.failed(error);
  sendError(exchange.response, error);
}

function nothingAsked({ protocol, name }: Surface): StartOf<'agent.request'> {
  return { protocol, method: name, stream: false };
}

function hasKey({ headers }: IncomingMessage): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined;
}
