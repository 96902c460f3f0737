import type { IncomingMessage } from 'node:http';
import type { Endpoint } from '../config/cross-checks.ts';
import { errors } from '../errors.ts';
import type { Exchange } from './exchange.ts';

/** One way into the agent: what stands at a path. */
export interface Surface {
  readonly protocol: 'a2a' | 'http';
  /** Its name in telemetry, for what came to no call. */
  readonly name: string;
  /** What `rate_limit.per_endpoint` calls it; missing where only limits of everybody and of users hold. */
  readonly endpoint?: Endpoint;
  /** Whether anybody may read it, unlimited. @default false */
  readonly open?: boolean;
  /** Whether the work for a client stops when the client goes away. */
  readonly endsWithClient: boolean;
  /** Finds out what is asked for. What it or the call throws is answered in the agent's own form of errors. */
  read(exchange: Exchange): Promise<Call>;
}

/** What a request asks for. */
export interface Call {
  /** One of few, for telemetry. */
  readonly method: string;
  /** Whether the answer is a stream. */
  readonly stream: boolean;
  answer(): Promise<void>;
}

/** Which surface stands where. */
export interface Surfaces {
  readonly byPath: Readonly<Record<string, Surface>>;
  /** Everything below a path that ends with a slash. */
  readonly below: Readonly<Record<string, Surface>>;
}

/** Runs work that costs something: now, when its turn comes, or not at all where too much waits already. */
export type Work = (exchange: Exchange, task: () => Promise<void>) => Promise<void>;

/** The surface at a path; one that answers 404 where there is none. */
export function surfaceAt({ byPath, below }: Surfaces, path: string): Surface {
  if (Object.hasOwn(byPath, path)) return byPath[path] ?? nowhere;
  const start = Object.keys(below).find((prefix) => path.startsWith(prefix));
  return start === undefined ? nowhere : (below[start] ?? nowhere);
}

/** The path of a request, without the query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

const nowhere: Surface = {
  protocol: 'http',
  name: 'unknown',
  endsWithClient: true,
  async read({ request }) {
    throw errors.NOT_FOUND({ path: pathOf(request).slice(0, 200) });
  },
};
