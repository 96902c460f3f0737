/** Watches an agent as an operator would: load, a provider that fails and comes back, and every question of the dashboards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { playMishaps, startLoad } from './load.ts';
import { isAnswered, type Question } from './questions.ts';
import { setStage, type Stage } from './stage.ts';
import type { ToldAlert } from './webhook.ts';

/** Labels of an alert that is awaited. */
export type Wanted = Readonly<Record<string, string>>;

export interface MonitoringOptions {
  /** Factor of all durations of the rules. */
  readonly fastMotion: number;
  readonly questions: readonly Question[];
  /** Places of the questions that this load leaves without an answer. */
  readonly unanswered: ReadonlySet<string>;
  /** What the webhook has to be told of while the first provider fails. */
  readonly wanted: readonly Wanted[];
}

export interface MonitoringResult {
  /** Of the wanted alerts, those that fired before the fault. */
  readonly before: readonly Wanted[];
  /** What the webhook was told from the fault on, in order. */
  readonly told: readonly ToldAlert[];
  /** How much of that was told when the fault ended. */
  readonly toldInFault: number;
  /** Places of the questions without an answer at the end. */
  readonly unanswered: ReadonlySet<string>;
  /** A scrape of the agent at the end. */
  readonly scrape: string;
  readonly seconds: number;
}

/** Longest wait for each step; a machine that has much else to do needs some of it. */
const longestMs = 120_000;
/** Good answers of the load before and after mishaps. */
const warmUp = 30;

export async function watchAgent(options: MonitoringOptions): Promise<MonitoringResult> {
  const beganMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'monitoring-'));
  try {
    await using stage = await setStage(folder, options.fastMotion);
    const result = await watch(stage, options);
    return { ...result, seconds: (performance.now() - beganMs) / 1_000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function watch(stage: Stage, options: MonitoringOptions): Promise<Omit<MonitoringResult, 'seconds'>> {
  const { main, webhook } = stage;
  const { wanted, questions } = options;
  // Twice: a counter that begins with its first mishap only grows with its second.
  await playMishaps(stage);
  const first = startLoad(stage);
  await until(() => (first.statuses.get(200) ?? 0) >= warmUp);
  await first.stop();
  await playMishaps(stage);

  const load = startLoad(stage);
  await until(() => (load.statuses.get(200) ?? 0) >= warmUp);
  const isFiring = (labels: Wanted): boolean => webhook.alerts.findLast(isOf(labels))?.status === 'firing';
  // Where the machine is slow, the mishaps can look like the fault for a moment.
  await until(() => !wanted.some(isFiring));
  const before = wanted.filter(isFiring);
  const since = webhook.alerts.length;
  main.always({ status: 503 });
  await until(() => wanted.every(isFiring));
  const toldInFault = webhook.alerts.length - since;
  main.always({ status: undefined });
  await until(() => !wanted.some(isFiring));

  let unanswered = await withoutAnswer(stage, questions);
  await until(async () => {
    unanswered = await withoutAnswer(stage, questions);
    return (
      unanswered.size === options.unanswered.size && [...unanswered].every((place) => options.unanswered.has(place))
    );
  });
  const scrape = await (await fetch(stage.metricsUrl)).text();
  await load.stop();
  return { before, told: webhook.alerts.slice(since), toldInFault, unanswered, scrape };
}

/** Whether the alert has these labels, among others. */
export function isOf(labels: Wanted): (alert: ToldAlert) => boolean {
  return (alert) => Object.entries(labels).every(([name, value]) => alert.labels[name] === value);
}

async function withoutAnswer({ prometheus }: Stage, questions: readonly Question[]): Promise<ReadonlySet<string>> {
  const places: string[] = [];
  for (const question of questions) if (!(await isAnswered(prometheus.url, question))) places.push(question.place);
  return new Set(places);
}

/** Resolves when it holds, and after the longest wait in any case: what was awaited is then missed in the result, which says what was there instead. */
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpMs = performance.now() + longestMs;
  while (!(await check()) && performance.now() < giveUpMs) await delay(100);
}
