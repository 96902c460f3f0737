import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireOption } from '@sage-adk/core';
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
  /** Whether answers hold what a check said or threw, cut to 200 characters. Errors of drivers may quote more than they should. @default false */
  readonly details?: boolean;
}

/** Answers the three probes, 200 or 503, and everything else with 404 or 405. Never throws, never waits. */
export function createProbeHandler(
  health: Health,
  { paths = {}, details = false }: ProbeOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const { live = '/health/live', ready = '/health/ready', startup = '/health/startup' } = paths;
  const probes: ReadonlyMap<string, () => Verdict> = new Map([
    [live, () => health.live()],
    [ready, () => health.ready()],
    [startup, () => health.startup()],
  ]);
  for (const path of [live, ready, startup]) requireOption('paths', path, 'a path that starts with a slash', isPath);
  requireOption('paths', `${live}, ${ready}, ${startup}`, 'three different paths', () => probes.size === 3);
  return (request, response) => {
    const probe = probes.get(request.url?.split('?', 1)[0] ?? '');
    if (probe === undefined) return send(request, response, 404, { status: 'fail', reason: 'no such probe' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(request, response, 405, { status: 'fail', reason: 'only GET and HEAD' });
    }
    const verdict = probe();
    send(request, response, verdict.status === 'fail' ? 503 : 200, toBody(verdict, details));
  };
}

function isPath(text: string): boolean {
  return /^\/[^?#\s]*$/.test(text);
}

function toBody({ status, reason, checks }: Verdict, details: boolean): object {
  return { status, reason, checks: checks.map((check) => toRow(check, details)) };
}

function toRow({ name, status, critical, checkedAtMs, detail }: CheckReport, details: boolean): object {
  return {
    name,
    status,
    critical,
    checkedAt: checkedAtMs === undefined ? null : new Date(checkedAtMs).toISOString(),
    ...(details && detail !== undefined && { detail: withoutCredentials(detail) }),
  };
}

// Errors of drivers quote connection strings; nothing between "//" and the last "@" is for strangers.
function withoutCredentials(detail: string): string {
  return detail.replace(/\/\/\S*@/g, '//***@').slice(0, 200);
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
