import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { emit, isSageError, run } from '@sage-adk/core';
import { describe } from '../http/respond.ts';
import { pathOf } from '../http/surface.ts';

/** A report as JSON, from the parameters of a query. */
export type Report = (query: Readonly<Record<string, string | undefined>>) => Promise<string>;

/** Answers `GET /usage` and `GET /slo` where there is such a report, and leaves everything else to `scrape`. */
export function answerReports(
  reports: Readonly<Record<string, Report | undefined>>,
  scrape: RequestListener,
): RequestListener {
  return (request, response) => {
    const path = pathOf(request);
    const name = path.slice(1);
    const report = Object.hasOwn(reports, name) ? reports[name] : undefined;
    if (report === undefined || request.method !== 'GET') return scrape(request, response);
    const answer = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    };
    const query = new URLSearchParams(request.url?.slice(path.length));
    void run({ requestId: randomUUID() }, () =>
      report(Object.fromEntries(query)).then(
        (body) => answer(200, body),
        (error: unknown) => {
          // A query that asks for no day is the asker's; a store that is away is not.
          const { status, message } = describe(error);
          if (!isSageError(error))
            emit('error.critical', { source: 'metrics', reason: 'report_failed', message: String(error) });
          answer(status, JSON.stringify({ error: message }));
        },
      ),
    );
  };
}
