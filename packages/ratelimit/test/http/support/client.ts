import { once } from 'node:events';
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Sends a request to the loopback and reads its whole answer. */
export async function ask(port: number, asked: Asked = {}): Promise<Answer> {
  const { response } = await open(port, asked);
  const body = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, headers: response.headers, body };
}

/** Sends a request and hands over its answer as soon as it begins. */
export async function open(
  port: number,
  { path = '/', method = 'GET', headers = {} }: Asked = {},
): Promise<{ readonly sent: ClientRequest; readonly response: IncomingMessage }> {
  const sent = request({ port, host: '127.0.0.1', path, method, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { sent, response };
}
