import type { RequestListener } from 'node:http';
import { isSageError } from '@sage-adk/core';

/** A report as JSON, from the parameters of a query. */
export type Report = (query: Readonly<Record<string, string | undefined>>) => Promise<string>;

/** Answers `GET /usage` and `GET /slo` where there is such a report, and leaves everything else to `scrape`. */
export function answerReports(
  reports: Readonly<Record<string, Report | undefined>>,
  scrape: RequestListener,
): RequestListener {
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const report = reports[pathname.slice(1)];
    if (report === undefined || request.method !== 'GET') return scrape(request, response);
    const answer = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    };
    report(Object.fromEntries(searchParams)).then(
      (body) => answer(200, body),
      (error: unknown) => {
        // A query that asks for no day is the asker's; a store that is away is not.
        const status = isSageError(error) ? error.status : 500;
        answer(status, JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      },
    );
  };
}
