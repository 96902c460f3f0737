/**
 * A service with a queue, a number of workers, and ways to be ill. It knows nothing of its clients: what they gave up is worked off all the same.
 */
import type { Clock, Random } from '@sage-adk/core';
import type { Scenario } from './scenarios.ts';

export interface Backend {
  /** Rejects where it is down, full, or fails. */
  call(abandoned: () => boolean): Promise<void>;
  readonly counts: { calls: number; callsInOutage: number; wasted: number };
}

const workers = 20;
const queueSize = 100;
const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const status = (code: number): Error => Object.assign(new Error(`status ${code}`), { status: code });

interface Job {
  readonly abandoned: () => boolean;
  done(error?: Error): void;
}

export function createBackend(scenario: Scenario, clock: Clock, random: Random): Backend {
  const startMs = clock.monotonicMs();
  const counts = { calls: 0, callsInOutage: 0, wasted: 0 };
  const queue: Job[] = [];
  let active = 0;
  let completed = 0;
  let downUntilMs = 0;
  let incarnation = 0;
  const elapsedMs = (): number => clock.monotonicMs() - startMs;
  const inTrouble = (): boolean => elapsedMs() >= scenario.fromMs && elapsedMs() < scenario.untilMs;
  const isDown = (): boolean => (inTrouble() && scenario.down) || elapsedMs() < downUntilMs;

  /** Requests per second that all workers together do now. */
  const rate = (): number => {
    if (inTrouble() && scenario.troubleRate !== undefined) return scenario.troubleRate;
    if (scenario.coldRate === undefined || incarnation === 0) return scenario.warmRate;
    const warmth = Math.min(1, completed / scenario.warmAfter);
    return scenario.coldRate + (scenario.warmRate - scenario.coldRate) * warmth;
  };
  const crash = (): void => {
    incarnation++;
    completed = 0;
    active = 0;
    for (const job of queue.splice(0)) job.done(refused());
  };
  if (scenario.down) clock.setTimer(crash, scenario.fromMs);

  const work = (): void => {
    while (active < workers) {
      const job = queue.shift();
      if (job === undefined) return;
      active++;
      const born = incarnation;
      const tookMs = (workers / rate()) * 1_000 * (0.5 + random());
      clock.setTimer(() => {
        if (born !== incarnation) return job.done(refused());
        active--;
        completed++;
        if (job.abandoned()) counts.wasted++;
        job.done(inTrouble() && random() < scenario.errorRatio ? status(503) : undefined);
        work();
      }, tookMs);
    }
  };
  return {
    counts,
    call(abandoned) {
      counts.calls++;
      if (inTrouble()) counts.callsInOutage++;
      if (isDown()) return Promise.reject(refused());
      if (scenario.crashQueue !== undefined && queue.length >= scenario.crashQueue) {
        downUntilMs = elapsedMs() + 5_000;
        crash();
        return Promise.reject(refused());
      }
      if (queue.length >= queueSize) return Promise.reject(status(503));
      return new Promise((resolve, reject) => {
        queue.push({ abandoned, done: (error) => (error === undefined ? resolve() : reject(error)) });
        work();
      });
    },
  };
}
