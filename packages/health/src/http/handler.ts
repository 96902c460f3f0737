import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Health } from '../health.ts';
import type { CheckReport, Verdict } from '../verdict.ts';

export interface ProbePaths {
  /** @default '/health/live' */
  readonly live?: string;
  /** @default '/health/ready' */
  readonly ready?: string;
  /** @default '/health/startup' */
  readonly startup?: string;
}

export interface ProbeOptions {
  readonly paths?: ProbePaths;
  /** Whether answers name the checks and say why one fails. Details may tell a stranger what the agent depends on. @default true */
  readonly details?: boolean;
}

/** Answers the three probes, 200 or 503, and everything else with 404 or 405. Never throws, never waits. */
export function createProbeHandler(
  health: Health,
  { paths = {}, details = true }: ProbeOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const { live = '/health/live', ready = '/health/ready', startup = '/health/startup' } = paths;
  const probes: ReadonlyMap<string, () => Verdict> = new Map([
    [live, () => health.live()],
    [ready, () => health.ready()],
    [startup, () => health.startup()],
  ]);
  return (request, response) => {
    const probe = probes.get(request.url?.split('?', 1)[0] ?? '');
    if (probe === undefined) return send(request, response, 404, { status: 'fail', reason: 'no such probe' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(request, response, 405, { status: 'fail', reason: 'only GET and HEAD' });
    }
    const verdict = probe();
    send(
      request,
      response,
      verdict.status === 'fail' ? 503 : 200,
      details ? toBody(verdict) : { status: verdict.status },
    );
  };
}

function toBody({ status, reason, checks }: Verdict): object {
  return { status, reason, ...(checks.length > 0 && { checks: checks.map(toRow) }) };
}

function toRow({ name, critical, status, checkedAtMs, detail }: CheckReport): object {
  return {
    name,
    critical,
    status,
    checked_at: checkedAtMs === undefined ? null : new Date(checkedAtMs).toISOString(),
    detail: detail && withoutSecrets(detail),
  };
}

// Errors of drivers quote connection strings; nothing between "//" and "@" is for strangers.
function withoutSecrets(detail: string): string {
  return detail.replace(/\/\/[^@/\s]*@/g, '//***@').slice(0, 200);
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
