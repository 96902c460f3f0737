/** Probes as a middleware of Hono 4. */
import type { Health } from '../health.ts';
import type { ProbeOptions } from './answers.ts';
import { answeringOf } from './handler.ts';

export type { ProbeOptions, ProbePaths } from './answers.ts';

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: { readonly method: string; readonly path: string };
}

/**
 * Answers the three probes; everything else goes on.
 *
 * @example
 * ```ts
 * app.use(probes(health));
 * ```
 */
export function probes(
  health: Health,
  options?: ProbeOptions,
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | void> {
  const answering = answeringOf(health, options);
  return async ({ req }, next) => {
    const reply = answering(req.method, req.path);
    if (reply === undefined) return next();
    const { status, headers, body } = reply;
    return new Response(req.method === 'HEAD' ? null : body, { status, headers });
  };
}
