import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Clock, type Context, emit, extract, run, type StartOf, systemClock } from '@sage-adk/core';
import { errors } from '../errors.ts';
import type { Admit } from '../limits/admission.ts';
import { createExchange, type Exchange, type Subject } from './exchange.ts';
import type { Identify, Identity } from './identify.ts';
import { sendError } from './respond.ts';
import { pathOf, type Surface, surfaceAt, type Surfaces } from './surface.ts';
import { endInTime } from './time-limit.ts';

export interface PipelineOptions {
  readonly surfaces: Surfaces;
  readonly identify: Identify;
  readonly admit: Admit;
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
  /** Resolves when whatever is being answered or worked on now is over. */
  idle(): Promise<void>;
}

/** What every request passes, in this order: who sent it, its context, the limits, what it asks for, its operation, the answer. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const live = new Set<Exchange>();
  let last = false;
  return {
    listener(request, response) {
      const surface = surfaceAt(options.surfaces, pathOf(request));
      const identity = surface.open ? anybody : options.identify(request);
      const controller = new AbortController();
      const context = contextOf(request, surface, identity, controller.signal, options);
      response.setHeader('x-request-id', context.requestId ?? '');
      if (last) response.shouldKeepAlive = false;
      run(context, () => void serve(options, live, surface, { request, response, identity, controller }));
    },
    lastAnswers() {
      last = true;
      for (const { response } of live) response.shouldKeepAlive = false;
    },
    abortAll(reason) {
      for (const exchange of live) exchange.abort(reason);
    },
    idle: async () => void (await Promise.all([...live].map((exchange) => exchange.settled()))),
  };
}

/** Who reads an open surface: it doesn't matter. */
const anybody: Identity = { principal: { kind: 'address', id: '' } };

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly identity: Identity | undefined;
  readonly controller: AbortController;
}

function contextOf(
  request: IncomingMessage,
  { protocol }: Surface,
  identity: Identity | undefined,
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
    ...(identity !== undefined && identity !== anybody && knownOf(identity)),
  };
}

function knownOf({ principal, tenant }: Identity): Context {
  return { principal, userId: principal.id, ...(tenant !== undefined && { tenant }) };
}

/** Who is limited, and where. An address is no user: those of one IPv6 network are limited as one. */
function subjectOf({ principal, tenant, tier }: Identity, { endpoint }: Surface): Subject {
  return {
    principal,
    ...(principal.kind !== 'address' && { user: principal.id }),
    ...(tenant !== undefined && { tenant }),
    ...(tier !== undefined && { tier }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

async function serve(options: PipelineOptions, live: Set<Exchange>, surface: Surface, arrival: Arrival): Promise<void> {
  const { request, identity } = arrival;
  const subject = subjectOf(identity ?? anybody, surface);
  const exchange = createExchange({ ...arrival, subject, endsWithClient: surface.endsWithClient });
  try {
    if (identity === undefined) {
      emit('security.violation', { kind: 'authentication', reason: hasKey(request) ? 'unknown_key' : 'missing_key' });
      throw errors.UNAUTHORIZED();
    }
    if (surface.open !== true && !(await options.admit(exchange))) return exchange.begin(nothingAsked(surface));
    live.add(exchange);
    const limit = endInTime(exchange, options.clock ?? systemClock);
    void exchange.settled().then(() => {
      limit.cancel();
      live.delete(exchange);
    });
    await answer(exchange, surface);
  } catch (error) {
    fail(exchange, surface, error);
  }
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
