// Prints the CPU cost of one decision about four rules of one user, of ours and of a union of four limiters.
import { createRateLimiter, type Rule } from '@sage-adk/ratelimit';
import { RateLimiterMemory, RateLimiterUnion } from 'rate-limiter-flexible';
import { measure } from '../harness/measure.ts';

const limit = 30_000_000;
const periods = ['minute', 'hour', 'day', { ms: 7_200_000 }] as const;
const rules = periods.map((per, index): Rule => ({ name: `user-${index}`, scope: 'user', limit, per }));
const ours = createRateLimiter({ rules, maxKeys: 1_000 });
const durations = [60, 3_600, 86_400, 7_200];
const union = new RateLimiterUnion(
  ...durations.map((duration, index) => new RateLimiterMemory({ points: limit, duration, keyPrefix: `user-${index}` })),
);
const keys = Array.from({ length: 1_000 }, (_, index) => `user-${index}`);
const at = (index: number): string => keys[index % keys.length] ?? '';
let allowed = 0;

const timings = await measure(
  [
    {
      name: 'ours sync',
      run: (count) => {
        for (let i = 0; i < count; i++) if (ours.checkSync({ user: at(i) }).allowed) allowed++;
      },
    },
    {
      name: 'rate-limiter-flexible',
      run: async (count) => {
        for (let i = 0; i < count; i++) if ((await union.consume(at(i))) !== undefined) allowed++;
      },
    },
  ],
  50_000,
  9,
);
console.log(
  JSON.stringify({ ...Object.fromEntries([...timings].map(([name, { medianNs }]) => [name, medianNs])), allowed }),
);
process.exit(0);
