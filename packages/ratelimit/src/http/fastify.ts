/** Limits as a plugin of Fastify 5. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Denial } from './denial.ts';
import { addressSubject } from './address.ts';
import { admissionOf } from './admissions.ts';
import { joined } from './fields.ts';
import { type Admission, createGate, type LimitOptions } from './gate.ts';
import { nodeRequests } from './node-request.ts';
import { stepOf } from './node-response.ts';

export { addressSubject, admissionOf };
export type { Denial } from './denial.ts';
export type { FieldDialect } from './fields.ts';
export type { ForwardedField } from './forwarded.ts';
export type { Admission, HoldOptions, HttpLimiter, HttpReservation, LimitOptions } from './gate.ts';

/** What is used of Fastify's request. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  /** What the last limiter on the way decided; null where none was asked. Fastify's own type reads it by `getDecorator`. */
  rateLimit?: Admission | null;
  readonly routeOptions: { readonly config: object };
}

/** What is used of Fastify's reply. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  getHeader(name: string): number | string | string[] | undefined;
  send(payload: string): unknown;
  hijack(): unknown;
}

type Hook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>;

/** What is used of a Fastify instance. */
export interface FastifyLike {
  addHook(name: 'onRequest' | 'preValidation' | 'preHandler', hook: Hook): unknown;
  addHook(name: 'onRoute', hook: (route: { readonly config?: object }) => void): unknown;
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: null): unknown;
}

/** What may differ by route. */
export interface FastifyRouteLimitOptions extends LimitOptions<FastifyRequestLike> {
  /** Answers a denied request; the fields are set already. @default sends the denial as it is */
  onDenied?(denial: Denial, request: FastifyRequestLike, reply: FastifyReplyLike): unknown;
}

/** Options of the plugin. */
export interface FastifyLimitOptions extends FastifyRouteLimitOptions {
  /** Whether routes are limited that don't ask for it by {@link routeLimit}. @default true */
  readonly global?: boolean;
  /** When the limiter is asked; `preHandler` comes after the hooks that find out who sent the request. @default 'onRequest' */
  readonly hook?: 'onRequest' | 'preValidation' | 'preHandler';
}

const routeKey = Symbol('@sage-adk/ratelimit');

/**
 * The `config` of a route that differs: other options, or none of the limits at all. Spread it where there is more in the `config`.
 *
 * @example
 * ```ts
 * app.get('/health', { config: routeLimit(false) }, handler);
 * app.post('/messages', { config: routeLimit({ costOf: () => ({ requests: 5 }) }) }, handler);
 * ```
 */
export function routeLimit(options: Partial<FastifyRouteLimitOptions> | false): object {
  return { [routeKey]: options };
}

/**
 * The plugin: every route of the scope that it is registered in, and of those inside, lets a request pass or answers it with 429 and the body of
 * `rateLimitBody`, with 422 where its cost can never fit. Requests to no route count too.
 *
 * What the limiter or a function of the options throws goes to the error handler. A limiter decides once about a request, however often it stands
 * in its way. What was decided is at `request.rateLimit` and given by {@link admissionOf}. The default subject is the address by `trustedProxies`;
 * Fastify's own option `trustProxy` is not read.
 *
 * @example
 * ```ts
 * await app.register(rateLimit, { limiter, subjectOf: (request: FastifyRequest) => ({ user: userOf(request) }) });
 * ```
 */
export const rateLimit = Object.assign(plugin, {
  // What fastify-plugin sets: the hooks belong to the scope that registers the plugin, not to one of the plugin's own.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@sage-adk/ratelimit',
  [Symbol.for('plugin-meta')]: { name: '@sage-adk/ratelimit', fastify: '5.x' },
});

interface Limit {
  readonly options: FastifyRouteLimitOptions;
  readonly enter: Hook;
}

async function plugin(instance: FastifyLike, options: FastifyLimitOptions): Promise<void> {
  const { global = true, hook = 'onRequest' } = options;
  const everywhere = limitOf(options);
  const byRoute = new WeakMap<object, Limit>();
  const limitFor = (config: object): Limit | undefined => {
    const own = (config as { readonly [routeKey]?: Partial<FastifyRouteLimitOptions> | false })[routeKey];
    if (own === false) return undefined;
    if (own === undefined) return global ? everywhere : undefined;
    const known = byRoute.get(own) ?? limitOf({ ...options, ...own });
    byRoute.set(own, known);
    return known;
  };
  if (!instance.hasRequestDecorator('rateLimit')) instance.decorateRequest('rateLimit', null);
  // A route whose options can't be fails when it is declared.
  instance.addHook('onRoute', ({ config = {} }) => void limitFor(config));
  instance.addHook(hook, async (request, reply) => {
    const limit = limitFor(request.routeOptions.config);
    if (limit === undefined || admissionOf(request, limit.options.limiter) !== undefined) return undefined;
    return limit.enter(request, reply);
  });
}

function limitOf(options: FastifyRouteLimitOptions): Limit {
  const gate = createGate<FastifyRequestLike, []>(options, {
    peer: ({ raw }) => nodeRequests.peer(raw),
    field: ({ raw }, name) => nodeRequests.field(raw, name),
  });
  const enter: Hook = async (request, reply) => {
    const admission = await gate(request);
    const step = stepOf(request, reply.raw, options.limiter, admission);
    if (step.name === 'drop') return reply.hijack();
    for (const [name, value] of admission?.fields ?? []) {
      reply.header(name, joined(name, reply.getHeader(name)?.toString(), value));
    }
    if (step.name === 'go-on') {
      request.rateLimit = admission ?? null;
      return undefined;
    }
    return options.onDenied === undefined ? send(reply, step.denial) : options.onDenied(step.denial, request, reply);
  };
  return { options, enter };
}

function send(reply: FastifyReplyLike, { status, contentType, body }: Denial): unknown {
  reply.code(status);
  reply.header('Content-Type', contentType);
  return reply.send(body);
}
