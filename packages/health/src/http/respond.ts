/** Probes over HTTP, the same in the process's own thread and in the one that serves the probes: this file imports nothing of ours. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** An answer that only needs to be sent. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export type Probe = 'live' | 'ready' | 'startup';
export type Answers = Readonly<Record<Probe, Answer>>;
export type PathsOfProbes = Readonly<Record<Probe, string>>;

/** What to answer to a method and a target; undefined where the target is no probe. */
export type Answering = (method: string | undefined, target: string | undefined) => Reply | undefined;

export interface Reply extends Answer {
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers of every answer. */
const common = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** @param answer is asked at each probe, and must not wait. */
export function createAnswering(paths: PathsOfProbes, answer: (probe: Probe) => Answer): Answering {
  const byPath = new Map<string, Probe>([
    [paths.live, 'live'],
    [paths.ready, 'ready'],
    [paths.startup, 'startup'],
  ]);
  return (method, target = '') => {
    const probe = byPath.get(target.split('?', 1)[0] ?? '');
    if (probe === undefined) return undefined;
    if (method === 'GET' || method === 'HEAD') return { ...answer(probe), headers: common };
    return { ...refusal(405, 'only GET and HEAD'), headers: { ...common, allow: 'GET, HEAD' } };
  };
}

/** Answers every request: probes as they are, anything else with 404. */
export function respond(answering: Answering, request: IncomingMessage, response: ServerResponse): void {
  const reply = answering(request.method, request.url) ?? { ...refusal(404, 'no such probe'), headers: common };
  send(reply, request, response);
}

export function send({ status, body, headers }: Reply, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A server of the probes that listens nowhere yet. */
export function createProbeServer(answering: Answering): Server {
  return createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) =>
    respond(answering, request, response),
  );
}

function refusal(status: number, reason: string): Answer {
  return { status, body: `${JSON.stringify({ status: 'fail', reason })}\n` };
}
