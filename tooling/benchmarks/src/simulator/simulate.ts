import type { Clock, Random } from '@sage-adk/core';
import { createSeededRandom, type FakeClock } from '@sage-adk/core/testing';
import { type Backend, createBackend } from './backend.ts';
import { type Client, type Contender, patienceMs, type Settings } from './clients.ts';
import type { Scenario } from './scenarios.ts';

export interface Run {
  readonly contender: Contender;
  readonly settings: Settings;
  readonly scenario: Scenario;
  readonly requestsPerSecond: number;
  readonly seed: number;
}

export interface Score {
  /** Calls that reached the backend per request, while the trouble lasted. */
  readonly amplification: number;
  /** Share of requests answered in time, of those made in the twenty seconds after the trouble. */
  readonly okAfter: number;
  /** The same while it lasted. */
  readonly okDuring: number;
  /** Work that the backend did for nobody, in requests. */
  readonly wasted: number;
  /** Openings of breakers, over all clients. */
  readonly opened: number;
}

const clientCount = 10;
const callTimeoutMs = 1_000;
const afterMs = 20_000;

/** Plays one scenario with ten clients of a kind that share a backend. */
export async function simulate(run: Run, clock: FakeClock): Promise<Score> {
  const { contender, settings, scenario, requestsPerSecond, seed } = run;
  const random = createSeededRandom(seed);
  Math.random = createSeededRandom(seed + 500_000);
  const backend = createBackend(scenario, clock, createSeededRandom(seed + 1_000_000));
  const clients = Array.from({ length: clientCount }, () => contender.create(settings, clock, random));
  const startMs = clock.monotonicMs();
  const tally = { during: 0, okDuring: 0, after: 0, okAfter: 0 };

  const request = (client: Client): void => {
    const madeMs = clock.monotonicMs() - startMs;
    const phase = phaseOf(scenario, madeMs);
    if (phase !== undefined) tally[phase]++;
    const answered = (): void => {
      if (phase === undefined || clock.monotonicMs() - startMs - madeMs > patienceMs) return;
      tally[phase === 'during' ? 'okDuring' : 'okAfter']++;
    };
    client.request(() => callBackend(backend, clock)).then(answered, () => {});
  };
  const arrive = (): void => {
    if (clock.monotonicMs() - startMs >= scenario.endMs) return;
    const client = clients[Math.floor(random() * clientCount)];
    if (client !== undefined) request(client);
    clock.setTimer(arrive, waitMs(requestsPerSecond, random));
  };
  arrive();
  for (let second = 0; second < scenario.endMs / 1_000; second++) await clock.advanceAsync(1_000);
  return {
    amplification: backend.counts.callsInOutage / Math.max(1, tally.during),
    okAfter: tally.okAfter / Math.max(1, tally.after),
    okDuring: tally.okDuring / Math.max(1, tally.during),
    wasted: backend.counts.wasted,
    opened: clients.reduce((sum, client) => sum + client.opened(), 0),
  };
}

function phaseOf({ fromMs, untilMs }: Scenario, madeMs: number): 'during' | 'after' | undefined {
  if (madeMs >= fromMs && madeMs < untilMs) return 'during';
  return madeMs >= untilMs && madeMs < untilMs + afterMs ? 'after' : undefined;
}

/** One call with the timeout of the transport, which is the same for every client. */
function callBackend(backend: Backend, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = clock.setTimer(() => {
      over = true;
      reject(new DOMException('late', 'TimeoutError'));
    }, callTimeoutMs);
    backend
      .call(() => over)
      .then(
        () => {
          timer.cancel();
          resolve();
        },
        (error: unknown) => {
          timer.cancel();
          reject(error);
        },
      );
  });
}

/** Arrivals of a Poisson process. */
function waitMs(perSecond: number, random: Random): number {
  return (-Math.log(1 - random()) / perSecond) * 1_000;
}
