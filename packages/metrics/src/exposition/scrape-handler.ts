import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PromRegistry } from './prom-registry.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers GET and HEAD on `path` with the registry's text, 405 other methods, and 404 other paths. Scrapes at the same moment share one rendering. */
export function createScrapeHandler(registry: PromRegistry, path: string): Handler {
  let rendering: Promise<string> | undefined;
  const render = (): Promise<string> => {
    rendering ??= registry.metrics().finally(() => (rendering = undefined));
    return rendering;
  };
  return ({ url = '', method }, response) => {
    if (url.split('?', 1)[0] !== path) return answer(response, 404, `Metrics are at ${path}.\n`);
    if (method === 'HEAD') return answer(response, 200, '', { 'content-type': registry.contentType });
    if (method !== 'GET') return answer(response, 405, 'Use GET or HEAD.\n', { allow: 'GET, HEAD' });
    render().then(
      (text) => answer(response, 200, text, { 'content-type': registry.contentType }),
      () => answer(response, 500, 'A metric of the registry could not be read.\n'),
    );
  };
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const fields = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers };
  response.writeHead(status, fields).end(text);
}
