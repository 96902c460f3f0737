/** Probes as a plugin of Fastify 5. */
import type { Health } from '../health.ts';
import { pathsOf, type ProbeOptions } from './answers.ts';
import { answeringOf } from './handler.ts';

export type { ProbeOptions, ProbePaths } from './answers.ts';

/** What is used of Fastify's reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(payload: string): unknown;
}

/** What is used of a Fastify instance. */
export interface FastifyLike {
  get(
    path: string,
    handler: (request: { readonly method: string; readonly url: string }, reply: FastifyReplyLike) => unknown,
  ): unknown;
}

/**
 * A plugin with the routes of the three probes.
 *
 * @example
 * ```ts
 * await app.register(probes(health));
 * ```
 */
export function probes(health: Health, options: ProbeOptions = {}): (instance: FastifyLike) => Promise<void> {
  const paths = pathsOf(options.paths);
  const answering = answeringOf(health, options);
  return async (instance) => {
    for (const path of Object.values(paths)) {
      // Asked by the route's own path: behind a prefix the target is another.
      instance.get(path, ({ method }, reply) => {
        const { status, headers = {}, body = '' } = answering(method, path) ?? { status: 404 };
        reply.code(status);
        reply.headers({ ...headers });
        return reply.send(body);
      });
    }
  };
}
