/** The clients that are compared: real packages, each a function around one request. */
import { type Clock, observe, type Random } from '@sage-adk/core';
import { createRetryBudgets } from '@sage-adk/recovery';
import { createDependency } from '@sage-adk/recovery/dependency';
import {
  circuitBreaker,
  CircuitState,
  ExponentialBackoff,
  handleAll,
  handleWhen,
  isBrokenCircuitError,
  retry,
  SamplingBreaker,
  wrap,
} from 'cockatiel';
import opossumPackage from 'opossum';
import pRetry, { AbortError } from 'p-retry';

/** One process with a policy of its own. */
export interface Client {
  request(call: () => Promise<void>): Promise<void>;
  /** How often its breaker opened. */
  opened(): number;
}

export type Settings = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  /** What a user gets who sets nothing, where the package has such a thing. */
  readonly defaults: Settings;
  /** The choices of the search; nothing to search where it is empty. */
  readonly space: Readonly<Record<string, readonly number[]>>;
  create(settings: Settings, clock: Clock, random: Random): Client;
}

/** How long a user waits for an answer, whatever the client does meanwhile. */
export const patienceMs = 5_000;

const of = (settings: Settings, name: string): number => {
  const value = settings[name];
  if (value === undefined) throw new Error(`The setting ${name} is missing.`);
  return value;
};

interface Opossum {
  fire(call: () => Promise<void>): Promise<void>;
  on(event: string, listener: () => void): void;
}
type OpossumClass = new (action: (call: () => Promise<void>) => Promise<void>, options: object) => Opossum;
const Opossum = opossumPackage as OpossumClass;

const retryChoices = { retries: [0, 1, 2, 3, 5], firstWaitMs: [50, 100, 200, 500, 1_000] };
const again = [0, 1];

const none: Contender = {
  name: 'no protection',
  defaults: {},
  space: {},
  create: () => ({ request: (call) => call(), opened: () => 0 }),
};

const pRetryOnly: Contender = {
  name: 'p-retry',
  defaults: { retries: 10, firstWaitMs: 1_000, randomize: 0 },
  space: { ...retryChoices, randomize: [0, 1] },
  create: (settings) => ({
    request: (call) => pRetry(call, pRetryOptions(settings)),
    opened: () => 0,
  }),
};

const cockatiel: Contender = {
  name: 'cockatiel retry + breaker',
  defaults: {
    retries: 3,
    firstWaitMs: 128,
    threshold: 0.5,
    windowMs: 10_000,
    restMs: 5_000,
    longestRestMs: 5_000,
    probes: 0,
    retriesRejections: 1,
  },
  space: {
    ...retryChoices,
    threshold: [0.2, 0.5, 0.8],
    windowMs: [2_000, 5_000, 10_000],
    restMs: [250, 500, 1_000, 2_000, 5_000],
    longestRestMs: [1_000, 2_000, 5_000, 8_000],
    probes: [0, 5, 10, 20],
    retriesRejections: again,
  },
  create(settings) {
    const restMs = of(settings, 'restMs');
    const probes = of(settings, 'probes');
    let opened = 0;
    const breaker = circuitBreaker(handleAll, {
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: restMs,
        maxDelay: Math.max(restMs, of(settings, 'longestRestMs')),
      }),
      breaker: new SamplingBreaker({ threshold: of(settings, 'threshold'), duration: of(settings, 'windowMs') }),
      ...(probes > 0 && { halfOpenSampling: { calls: probes, threshold: 0.5 } }),
    });
    breaker.onStateChange((state) => void (state === CircuitState.Open && opened++));
    const handled =
      of(settings, 'retriesRejections') === 1 ? handleAll : handleWhen((error) => !isBrokenCircuitError(error));
    const policy = wrap(
      retry(handled, {
        maxAttempts: of(settings, 'retries'),
        backoff: new ExponentialBackoff({ initialDelay: of(settings, 'firstWaitMs') }),
      }),
      breaker,
    );
    return { request: (call) => policy.execute(call), opened: () => opened };
  },
};

const opossum: Contender = {
  name: 'opossum + p-retry',
  defaults: {
    retries: 10,
    firstWaitMs: 1_000,
    randomize: 0,
    threshold: 50,
    windowMs: 10_000,
    restMs: 30_000,
    volume: 0,
    retriesRejections: 1,
  },
  space: {
    ...retryChoices,
    randomize: [0, 1],
    threshold: [20, 50, 80],
    windowMs: [2_000, 5_000, 10_000],
    restMs: [250, 500, 1_000, 2_000, 5_000],
    volume: [0, 5, 10, 20],
    retriesRejections: again,
  },
  create(settings) {
    let opened = 0;
    const breaker = new Opossum((call) => call(), {
      timeout: false,
      errorThresholdPercentage: of(settings, 'threshold'),
      resetTimeout: of(settings, 'restMs'),
      rollingCountTimeout: of(settings, 'windowMs'),
      volumeThreshold: of(settings, 'volume'),
    });
    breaker.on('open', () => opened++);
    const fire = async (call: () => Promise<void>): Promise<void> => {
      try {
        await breaker.fire(call);
      } catch (error) {
        const rejected = (error as { code?: unknown }).code === 'EOPENBREAKER';
        throw rejected && of(settings, 'retriesRejections') === 0 ? new AbortError(error as Error) : error;
      }
    };
    return { request: (call) => pRetry(() => fire(call), pRetryOptions(settings)), opened: () => opened };
  },
};

const oursDefaults = { retries: 2, firstWaitMs: 200, failureRatio: 0.5, windowMs: 10_000, minCalls: 10 };
const ours: Contender = {
  name: '@sage-adk/recovery',
  defaults: { ...oursDefaults, restMs: 500, longestRestMs: 2_000, calmMs: 3_000, permitWaitMs: patienceMs },
  space: {
    ...retryChoices,
    failureRatio: [0.2, 0.5, 0.8],
    windowMs: [2_000, 5_000, 10_000],
    restMs: [250, 500, 1_000, 2_000],
    longestRestMs: [1_000, 2_000, 5_000, 8_000],
    minCalls: [5, 10, 20],
    calmMs: [1_000, 3_000],
    permitWaitMs: [500, 1_000, 2_000, patienceMs],
  },
  create(settings, clock, random) {
    const name = `backend ${clientCount++}`;
    let opened = 0;
    observe({
      name,
      events: { 'breaker.changed': ({ dependency, to }) => void (dependency === name && to === 'open' && opened++) },
    });
    const dependency = createDependency(name, {
      breaker: {
        failureRatio: of(settings, 'failureRatio'),
        windowMs: of(settings, 'windowMs'),
        openMs: of(settings, 'restMs'),
        maxOpenMs: Math.max(of(settings, 'restMs'), of(settings, 'longestRestMs')),
        minCalls: of(settings, 'minCalls'),
        calmMs: of(settings, 'calmMs'),
      },
      retry: oursRetry(settings, clock, random),
      deadlineMs: patienceMs,
      permitWaitMs: of(settings, 'permitWaitMs'),
      clock,
      random,
    });
    return { request: (call) => dependency.execute(call), opened: () => opened };
  },
};

let clientCount = 0;

const oursBudget: Contender = {
  name: '@sage-adk/recovery, retry and budget alone',
  defaults: oursDefaults,
  space: {},
  create(settings, clock, random) {
    const dependency = createDependency('backend', {
      breaker: false,
      retry: oursRetry(settings, clock, random),
      deadlineMs: patienceMs,
      clock,
      random,
    });
    return { request: (call) => dependency.execute(call), opened: () => 0 };
  },
};

export const contenders: readonly Contender[] = [none, pRetryOnly, cockatiel, opossum, ours, oursBudget];

function oursRetry(settings: Settings, clock: Clock, random: Random) {
  return {
    maxAttempts: of(settings, 'retries') + 1,
    baseMs: of(settings, 'firstWaitMs'),
    idempotent: true,
    budget: createRetryBudgets({ clock }),
    random,
  };
}

function pRetryOptions(settings: Settings) {
  return {
    retries: of(settings, 'retries'),
    minTimeout: of(settings, 'firstWaitMs'),
    randomize: of(settings, 'randomize') === 1,
  };
}
