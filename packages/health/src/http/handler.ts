import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Health } from '../health.ts';
import { answerOf, pathsOf, type ProbeOptions } from './answers.ts';
import { type Answering, createAnswering, respond } from './respond.ts';

/** Answers the three probes, 200 or 503, and everything else with 404 or 405. Never throws, never waits. */
export function createProbeHandler(
  health: Health,
  options?: ProbeOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const answering = answeringOf(health, options);
  return (request, response) => respond(answering, request, response);
}

/** Answers from what `health` knows at the moment of the probe. */
export function answeringOf(health: Health, { paths, details = false }: ProbeOptions = {}): Answering {
  return createAnswering(pathsOf(paths), (probe) => answerOf(health[probe](), details));
}
