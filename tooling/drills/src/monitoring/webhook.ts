/** What Alertmanager calls: keeps every alert that it is told of. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ToldAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Webhook extends AsyncDisposable {
  readonly url: string;
  /** In the order in which they came. */
  readonly alerts: readonly ToldAlert[];
}

export async function startWebhook(): Promise<Webhook> {
  const alerts: ToldAlert[] = [];
  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        alerts.push(...(body as { readonly alerts: readonly ToldAlert[] }).alerts);
        response.end();
      },
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    alerts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
