import { requireOption } from '@sage-adk/core';
import { errors } from '../errors.ts';
import { listen, type Listening, type ListenOptions } from './listen.ts';
import type { PromRegistry } from './prom-registry.ts';
import { createScrapeHandler, type Handler } from './scrape-handler.ts';

/** The ways to a registry over HTTP. */
export interface Exposition {
  /** Answers scrapes on a server of yours: GET and HEAD on `path` (`/metrics` by default), 404 elsewhere. */
  handler(options?: { readonly path?: string }): Handler;
  /** Answers scrapes on a server of its own. Throws `PORT_IN_USE`, `LISTEN_FAILED` or `CLOSED`. */
  listen(options?: ListenOptions): Promise<Listening>;
}

const defaultPath = '/metrics';

export function createExposition(registry: PromRegistry): Exposition & { close(): Promise<void> } {
  const listeners: Listening[] = [];
  let closed = false;
  const handler = ({ path = defaultPath }: { readonly path?: string } = {}): Handler => {
    return createScrapeHandler(registry, requireOption('path', path, 'a path that starts with a slash', isPath));
  };
  return {
    handler,
    async listen({ path = defaultPath, ...address } = {}) {
      if (closed) throw errors.CLOSED();
      const listener = await listen(handler({ path }), { ...address, path });
      listeners.push(listener);
      if (closed) await listener.close();
      return listener;
    },
    async close() {
      closed = true;
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

function isPath(text: string): boolean {
  return /^\/[^?#]*$/.test(text);
}
