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
import { measure } from '../harness/measure.ts';
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

const timings = await measure(
  [
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
  ],
  50_000,
  7,
);
const result = Object.fromEntries(
  [...timings].map(([name, { medianNs }]) => [name, medianNs]),
) as unknown as RecoveryTimings;
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
