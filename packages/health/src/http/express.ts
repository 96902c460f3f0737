/** Probes as a middleware of Express 5 and 4, and of whatever else takes `(request, response, next)`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Health } from '../health.ts';
import type { ProbeOptions } from './answers.ts';
import { answeringOf } from './handler.ts';
import { send } from './respond.ts';

export type { ProbeOptions, ProbePaths } from './answers.ts';

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
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const answering = answeringOf(health, options);
  return (request, response, next) => {
    const reply = answering(request.method, request.url);
    if (reply === undefined) next();
    else send(reply, request, response);
  };
}
