import type { Behaviour } from './behaviour.ts';

/** A request that came, and what became of it. The object is kept up to date while it is answered. */
export interface ReceivedRequest {
  /** Counts from 1. */
  readonly serial: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON that was sent; undefined where there was none. */
  readonly body: unknown;
  /** Undefined where the path is of no API that is spoken here. */
  readonly provider: 'openai' | 'anthropic' | 'gemini' | undefined;
  readonly api: string | undefined;
  readonly model: string | undefined;
  readonly streamed: boolean;
  /** Which try this is, counted from 1, where the client says so in `x-stainless-retry-count`; undefined where it doesn't. */
  readonly attempt: number | undefined;
  /** What was decided about it. */
  readonly behaviour: Behaviour;
  /** Undefined while no status was sent. */
  readonly status: number | undefined;
  /** Events that were sent. */
  readonly events: number;
  /** Those of them that carried content. */
  readonly contents: number;
  /** What a provider would bill: all of an answer that was sent, else the prompt and one token for each piece of content. */
  readonly billed: Billed;
  readonly outcome: RequestOutcome;
}

export interface Billed {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * `open` while it is answered or stalls; `answered` in full; `refused` with an error status; `cut` by this side, before, in or without good order;
 * `aborted` by the client.
 */
export type RequestOutcome = 'open' | 'answered' | 'refused' | 'cut' | 'aborted';

/** Sums over all requests since the start or the last reset. */
export interface Counters extends Readonly<Record<RequestOutcome, number>>, Billed {
  readonly requests: number;
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };
