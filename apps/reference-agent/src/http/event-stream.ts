import type { ServerResponse } from 'node:http';

/** Begins a stream of server-sent events. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
}

/**
 * Writes text that holds whole events. Resolves when the client has room for more; at once where it is gone, since then nobody waits.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function writeEvents(response: ServerResponse, text: string): Promise<void> | undefined {
  if (response.destroyed || response.write(text)) return undefined;
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

/** One event with JSON data. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
