/** `/metrics` over HTTP: negotiated, written as it is rendered, and rendered once for all who ask meanwhile. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { type Collected, instrumentsOf } from '../collected.ts';
import { formatFor } from './negotiate.ts';
import { contentTypes, type Format, renderMetrics, type RenderOptions } from './render.ts';

export interface ScrapeOptions extends Pick<RenderOptions, 'exemplars' | 'sliceMs'> {
  /** `createMetrics()` fits, and `mergeWorkers()` of `./cluster`. Metrics of yours in its registry that it did not make are not among them. */
  readonly metrics: Collected;
  /** @default '/metrics' */
  readonly path?: string;
}

/**
 * Answers GET and HEAD on `path` in the format that `Accept` prefers, 405 other methods and 404 other paths. Scrapes that come while one of their format is
 * rendered share it, from its beginning.
 */
export function createScrape({
  metrics,
  path = '/metrics',
  ...options
}: ScrapeOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const running = new Map<Format, Rendering>();
  return ({ url = '', method, headers }, response) => {
    if (url.split('?', 1)[0] !== path) return refuse(response, 404, `Metrics are at ${path}.\n`);
    if (method !== 'GET' && method !== 'HEAD')
      return refuse(response, 405, 'Use GET or HEAD.\n', { allow: 'GET, HEAD' });
    const format = formatFor(headers.accept);
    response.writeHead(200, { 'content-type': contentTypes[format], 'cache-control': 'no-store', vary: 'accept' });
    if (method === 'HEAD') return void response.end();
    let rendering = running.get(format);
    if (rendering === undefined) {
      rendering = new Rendering(renderCollected(metrics, { ...options, format }), () => running.delete(format));
      running.set(format, rendering);
    }
    void rendering.writeTo(response).catch(() => response.destroy());
  };
}

async function* renderCollected(metrics: Collected, options: RenderOptions): AsyncGenerator<Uint8Array> {
  yield* renderMetrics(await instrumentsOf(metrics), options);
}

/** A text that is being made, for as many readers as come; each has its own pace. */
class Rendering {
  readonly #pieces: Uint8Array[] = [];
  readonly #done: Promise<void>;
  #over = false;
  #more: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(pieces: AsyncIterable<Uint8Array>, ended: () => void) {
    this.#done = this.#collect(pieces).finally(() => {
      this.#over = true;
      ended();
      this.#more.resolve();
    });
    this.#done.catch(() => {});
  }

  async writeTo(response: ServerResponse): Promise<void> {
    for (let i = 0; ; i++) {
      while (i >= this.#pieces.length && !this.#over) await this.#more.promise;
      const piece = this.#pieces[i];
      if (piece === undefined) break;
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
    }
    await this.#done;
    response.end();
  }

  async #collect(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of pieces) {
      this.#pieces.push(piece);
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }
}

/** Resolves when the response takes more, or none any more; it is left without a listener of this. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const events = ['drain', 'close'].map((event) => once(response, event, { signal }));
  await Promise.race(events).finally(() => over.abort());
}

function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers });
  response.end(text);
}
