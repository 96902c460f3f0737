import type { Random } from '@sage-adk/core';
import { createSeededRandom } from '@sage-adk/core/testing';
import { type Behaviour, checkBehaviour } from './behaviour.ts';
import type { Billed, Counters, ReceivedRequest, RequestOutcome, Writable } from './received-request.ts';
import { checkWeather, type Front, strike } from './weather.ts';

/** Decides about one request by what it asks. */
export type Rule = (
  request: ReceivedRequest,
) => Partial<Behaviour> | undefined | Promise<Partial<Behaviour> | undefined>;

export interface SessionOptions {
  readonly behaviour: Behaviour;
  readonly respond: Rule | undefined;
  readonly weather: readonly Front[];
  readonly seed: number;
  readonly keepRequests: number;
}

/** What belongs to the time between two resets: what was ordered, what came, and how it went. */
export class Session {
  readonly requests: Writable<ReceivedRequest>[] = [];
  readonly counters: Writable<Counters> = {
    requests: 0,
    open: 0,
    answered: 0,
    refused: 0,
    cut: 0,
    aborted: 0,
    inputTokens: 0,
    outputTokens: 0,
  };
  readonly #respond: Rule | undefined;
  readonly #keepRequests: number;
  readonly #random: Random;
  readonly #queue: Behaviour[] = [];
  #base: Behaviour;
  #weather: readonly Front[];
  #idle = Promise.withResolvers<void>();

  constructor({ behaviour, respond, weather, seed, keepRequests }: SessionOptions) {
    this.#base = behaviour;
    this.#respond = respond;
    this.#weather = weather;
    this.#random = createSeededRandom(seed);
    this.#keepRequests = keepRequests;
  }

  next(behaviours: readonly Behaviour[]): void {
    this.#queue.push(...behaviours.map(checkBehaviour));
  }

  always(behaviour: Behaviour): void {
    this.#base = { ...this.#base, ...checkBehaviour(behaviour) };
  }

  changeWeather(weather: readonly Front[]): void {
    this.#weather = checkWeather(weather);
  }

  /** Enters a request. */
  receive(
    arrival: Omit<ReceivedRequest, 'serial' | 'behaviour' | 'status' | 'events' | 'contents' | 'billed' | 'outcome'>,
  ): Writable<ReceivedRequest> {
    const serial = ++this.counters.requests;
    this.counters.open++;
    const record: Writable<ReceivedRequest> = {
      ...arrival,
      serial,
      behaviour: {},
      status: undefined,
      events: 0,
      contents: 0,
      billed: nothing,
      outcome: 'open',
    };
    this.requests.push(record);
    if (this.requests.length > this.#keepRequests) this.requests.shift();
    return record;
  }

  /** What happens to a request: the base, over it the weather, the rule, and what was queued. Weather and queue are taken before the rule is asked. */
  async decide(record: Writable<ReceivedRequest>): Promise<Behaviour> {
    const struck = strike(this.#weather, this.#random);
    const queued = this.#queue.shift();
    const base = this.#base;
    const ruled = await this.#respond?.(record);
    // What was queued is exact: no weather spoils it.
    const behaviour = { ...base, ...(queued === undefined && struck), ...ruled, ...queued };
    return (record.behaviour = checkBehaviour(behaviour));
  }

  /** Enters how a request went. */
  settle(record: Writable<ReceivedRequest>, outcome: Exclude<RequestOutcome, 'open'>, billed: Billed = nothing): void {
    record.outcome = outcome;
    record.billed = billed;
    this.counters.open--;
    this.counters[outcome]++;
    this.counters.inputTokens += billed.inputTokens;
    this.counters.outputTokens += billed.outputTokens;
    if (this.counters.open > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** Resolves when no request is open. */
  idle(): Promise<void> {
    return this.counters.open === 0 ? Promise.resolve() : this.#idle.promise;
  }
}

const nothing: Billed = { inputTokens: 0, outputTokens: 0 };
