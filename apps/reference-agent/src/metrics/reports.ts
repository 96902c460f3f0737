import type { RequestListener } from 'node:http';
import { isSageError } from '@sage-adk/core';
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
    report(Object.fromEntries(query)).then(
      (body) => answer(200, body),
      (error: unknown) => {
        // A query that asks for no day is the asker's; a store that is away is not.
        const status = isSageError(error) ? error.status : 500;
        answer(status, JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      },
    );
  };
}
