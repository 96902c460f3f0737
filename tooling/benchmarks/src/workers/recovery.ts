// Prints the CPU cost of a call, bare and protected by us and by peers.
import { createRetry } from '@sage-adk/recovery';
import { createDependency } from '@sage-adk/recovery/dependency';
import {
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { cpuNs, measureOver, type Variant } from '../harness/measure.ts';
import type { RecoveryTimings } from '../topics/recovery.bench.ts';

let sum = 0;
async function work(value: number): Promise<number> {
  return value + 1;
}

const retryOnly = createRetry();
const protectedBy = createDependency('backend', { timeoutMs: 1_000, deadlineMs: 5_000, bulkhead: false });
const withBulkhead = createDependency('backend', { timeoutMs: 1_000, deadlineMs: 5_000 });
const cockatiel = wrap(
  retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
  circuitBreaker(handleAll, {
    halfOpenAfter: 5_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  }),
  timeout(1_000, TimeoutStrategy.Cooperative),
);

const variants: readonly Variant[] = [
  {
    name: 'bare',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await work(i);
    },
  },
  {
    name: 'retry',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await retryOnly.execute(() => work(i));
    },
  },
  {
    name: 'dependency',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await protectedBy.execute(() => work(i));
    },
  },
  {
    name: 'withBulkhead',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await withBulkhead.execute(() => work(i));
    },
  },
  {
    name: 'readSignal',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await protectedBy.execute(({ signal }) => work(signal.aborted ? 0 : i));
    },
  },
  {
    name: 'cockatiel',
    run: async (count) => {
      for (let i = 0; i < count; i++) sum += await cockatiel.execute(() => work(i));
    },
  },
];
const block = 50_000;
const blocks = { most: 24, mostMs: 90_000 };
let calls = 0;
// It costs ten times as much as the others, and its figure is as steady with a tenth of the calls.
const countOf = ({ name }: Variant): number => (name === 'cockatiel' ? block / 10 : block);

for (const variant of variants) await variant.run(countOf(variant));
const excess = await measureOver(variants, costOf, blocks);
const over = (name: string): number => excess.get(name)?.quartileNs ?? Number.NaN;
const result: RecoveryTimings = {
  calls,
  bare: excess.get('bare')?.baseNs ?? Number.NaN,
  retry: over('retry'),
  dependency: over('dependency'),
  withBulkhead: over('withBulkhead'),
  readSignal: over('readSignal'),
  cockatiel: over('cockatiel'),
};
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);

function costOf(variant: Variant): Promise<number> {
  if (variant.name === 'bare') calls += block;
  return cpuNs(variant, countOf(variant));
}
