/**
 * Prints what a flood does to users who were there before: whether they are served as before, how long their checks take, how memory grows.
 *
 * Limits go by a clock of the run, so that it means the same on any machine; the machine's own measures. Seconds with the flood and without it take turns.
 */
import { type Clock, systemClock } from '@sage-adk/core';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { median } from '../harness/measure.ts';

const [, , kind = '', size = ''] = process.argv;
const rounds = 10;
const floodPerMs = Number(size) / rounds / 1_000;
const maxKeys = 100_000;
const users = 1_000;

let nowMs = 1_000;
const clock: Clock = { ...systemClock, now: () => 1_750_000_000_000 + nowMs, monotonicMs: () => nowMs };
const limiter = createRateLimiter({
  rules: [{ name: 'user', scope: 'user', limit: 120, per: 'minute', burst: 20 }],
  maxKeys,
  clock,
});
const busy = Array.from({ length: users }, (_, index) => `busy-${index}`);
const calm = Array.from({ length: users }, (_, index) => `calm-${index}`);
const wrong = { denied: 0, overflowed: 0 };
let greedyAllowed = 0;
let foreign = 0;
const quietNs: number[][] = [];
const floodedNs: number[][] = [];
const bytes: number[] = [];

// Users who come back are known from then on.
seconds(12, 0);
const greedyBefore = greedyAllowed;
for (let round = 0; round < rounds; round++) {
  quietNs.push(seconds(1, 0));
  floodedNs.push(seconds(1, floodPerMs));
  bytes.push(bytesInUse());
}
console.log(
  JSON.stringify({
    foreign,
    ...wrong,
    greedyPerSecond: (greedyAllowed - greedyBefore) / (2 * rounds),
    quiet: summaryOf(quietNs),
    flooded: summaryOf(floodedNs),
    bytesAfterFirst: bytes[0],
    bytesAfterLast: bytes.at(-1),
  }),
);
process.exit(0);

/** Lets seconds pass, each millisecond with what is due in it. Returns how long each check of a user took. */
function seconds(count: number, perMs: number): number[] {
  const samples: number[] = [];
  const end = nowMs + count * 1_000;
  for (; nowMs < end; nowMs++) {
    flood(perMs / 2);
    // Busy users stay within their limit. Calm ones come so seldom that their quota is whole and their place could go to another.
    for (let index = nowMs % 600; index < users; index += 600) samples.push(serve(busy[index] ?? ''));
    for (let index = nowMs % 5_000; index < users; index += 5_000) samples.push(serve(calm[index] ?? ''));
    if (limiter.checkSync({ user: 'greedy' }).allowed) greedyAllowed++;
    flood(perMs / 2);
  }
  return samples;
}

function flood(count: number): void {
  for (let n = 0; n < count; n++) {
    limiter.checkSync({ user: kind === 'one key' ? 'attacker' : `flood-${foreign}` });
    foreign++;
  }
}

function serve(user: string): number {
  const startNs = process.hrtime.bigint();
  const { allowed, source } = limiter.checkSync({ user });
  const tookNs = Number(process.hrtime.bigint() - startNs);
  if (!allowed) wrong.denied++;
  if (source === 'overflow') wrong.overflowed++;
  return tookNs;
}

/** Medians of the rounds, so that a busy neighbour in one of them does not count. */
function summaryOf(samples: readonly number[][]) {
  const at = (share: number): number =>
    median(samples.map((round) => round.toSorted((a, b) => a - b)[Math.floor(round.length * share)] ?? Number.NaN));
  return { medianNs: at(0.5), p99Ns: at(0.99) };
}

function bytesInUse(): number {
  for (let n = 0; n < 3; n++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
