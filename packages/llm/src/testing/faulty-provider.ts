import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import { type Behaviour, checkBehaviour } from './behaviour.ts';
import { readRequest } from './read-request.ts';
import type { Counters, ReceivedRequest } from './received-request.ts';
import { closing, serve } from './serve.ts';
import { type Rule, Session, type SessionOptions } from './session.ts';
import { checkWeather, type Front } from './weather.ts';

/** Its behaviour is what happens to a request about which nothing else says anything. */
export interface FaultyProviderOptions extends Behaviour {
  /** Decides about single requests; undefined leaves one as it is. What it throws is answered with a status of 400 that says so. */
  readonly respond?: Rule;
  /** Shares of the requests to which something happens, by chance. @default [] */
  readonly weather?: readonly Front[];
  /** Of the chance; the same seed gives the same weather to the same sequence of requests. @default 1 */
  readonly seed?: number;
  /** How many of the latest requests `requests` keeps. @default 100 */
  readonly keepRequests?: number;
  /** @default 0, a free one */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  readonly clock?: Clock;
}

/** A server that speaks as OpenAI, Anthropic and Gemini do, and fails as it is told. */
export interface FaultyProvider extends AsyncDisposable {
  /** Such as `http://127.0.0.1:49152`; whatever stands between it and the path of an API is ignored. */
  readonly url: string;
  /** The latest requests, oldest first. */
  readonly requests: readonly ReceivedRequest[];
  readonly counters: Counters;
  /** One behaviour for each of the next requests; exact, so no weather strikes them. */
  next(...behaviours: readonly Behaviour[]): void;
  /** Laid over the behaviour of the options from now on, for every request. */
  always(behaviour: Behaviour): void;
  /** Replaces the weather. */
  changeWeather(weather: readonly Front[]): void;
  /** Resolves when no request is open. A stalled one is until the client leaves. */
  idle(): Promise<void>;
  /** All is as after the start: nothing queued, nothing logged, the numbers begin again. What is open is cut. */
  reset(): void;
  /** Cuts what is open and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a provider on a port of this machine. Which API a request is of is told by the end of its path: `/chat/completions`, `/completions`, `/responses`,
 * `/embeddings` and `/models` (OpenAI), `/messages` (Anthropic), `/models/<model>:generateContent` and `:streamGenerateContent` (Gemini). Answers stream where a request asks for it.
 *
 * What happens to a request is laid over one another, member by member: the options and `always`, the weather, `respond`, `next`.
 *
 * @example
 * ```ts
 * await using provider = await createFaultyProvider();
 * const client = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'any' });
 * provider.next({ status: 503 }, { cutAfter: { contents: 2 } });
 * ```
 */
export async function createFaultyProvider({
  respond,
  weather = [],
  seed = 1,
  keepRequests = 100,
  port = 0,
  host = '127.0.0.1',
  clock = systemClock,
  ...behaviour
}: FaultyProviderOptions = {}): Promise<FaultyProvider> {
  requireWhole('port', port, 0, 65_535);
  requireWhole('keepRequests', keepRequests, 0);
  checkWeather(weather);
  checkBehaviour(behaviour);
  const provider = new LocalProvider({ behaviour, respond, weather, seed, keepRequests }, clock);
  await provider.listen(port, host);
  return provider;
}

class LocalProvider implements FaultyProvider {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #open = new Set<(reason?: unknown) => void>();
  #session: Session;
  #url = '';

  constructor(options: SessionOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#session = new Session(options);
    // Kept far longer than any pause between requests: one that is sent while this side closes an idle connection would be lost, and that no script said.
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (incoming, response) => {
      void this.#handle(incoming, response);
    });
  }

  async listen(port: number, host: string): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const { address, family, port: taken } = this.#server.address() as AddressInfo;
    this.#url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
  }

  get url(): string {
    return this.#url;
  }

  get requests(): readonly ReceivedRequest[] {
    return this.#session.requests;
  }

  get counters(): Counters {
    return this.#session.counters;
  }

  next(...behaviours: readonly Behaviour[]): void {
    this.#session.next(behaviours);
  }

  always(behaviour: Behaviour): void {
    this.#session.always(behaviour);
  }

  changeWeather(weather: readonly Front[]): void {
    this.#session.changeWeather(weather);
  }

  idle(): Promise<void> {
    return this.#session.idle();
  }

  reset(): void {
    this.#session = new Session(this.#options);
    this.#cutOpen();
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#cutOpen();
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = this.#session;
    const controller = new AbortController();
    const abort = controller.abort.bind(controller);
    this.#open.add(abort);
    response.once('close', () => abort());
    try {
      const read = await readRequest(incoming);
      await serve(read, session, { response, signal: controller.signal, clock: this.#clock });
    } catch {
      // The client left before it had asked.
      response.destroy();
    } finally {
      this.#open.delete(abort);
    }
  }

  #cutOpen(): void {
    for (const abort of this.#open) abort(closing);
  }
}
