// Prints the CPU cost of one decision in memory, of ours and of its peers, with as many keys as the argument says.
import { createRateLimiter } from '@sage-adk/ratelimit';
import { MemoryStore } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { measure } from '../harness/measure.ts';

const keyCount = Number(process.argv[2]);
const keys = Array.from({ length: keyCount }, (_, index) => `user-${index}`);
const subjects = keys.map((user) => ({ user }));
const limit = 30_000_000;

const ours = createRateLimiter({ rules: [{ name: 'user', scope: 'user', limit, per: 'hour' }], maxKeys: keyCount + 1 });
const flexible = new RateLimiterMemory({ points: limit, duration: 3_600 });
const express = new MemoryStore();
express.init({ windowMs: 3_600_000 } as Parameters<MemoryStore['init']>[0]);

// Keys in an order that no cache foresees; the same for all.
const order = Uint32Array.from({ length: 1 << 16 }, (_, index) => (Math.imul(index, 2_654_435_761) >>> 0) % keyCount);
const at = (index: number): number => order[index & 0xffff] ?? 0;
let allowed = 0;

const timings = await measure(
  [
    {
      name: 'ours sync',
      run: (count) => {
        for (let i = 0; i < count; i++) if (ours.checkSync(subjects[at(i)] ?? {}).allowed) allowed++;
      },
    },
    {
      name: 'ours async',
      run: async (count) => {
        for (let i = 0; i < count; i++) if ((await ours.check(subjects[at(i)] ?? {})).allowed) allowed++;
      },
    },
    {
      name: 'rate-limiter-flexible',
      run: async (count) => {
        for (let i = 0; i < count; i++) if ((await flexible.consume(keys[at(i)] ?? '')).remainingPoints >= 0) allowed++;
      },
    },
    {
      name: 'express-rate-limit',
      run: async (count) => {
        for (let i = 0; i < count; i++) if ((await express.increment(keys[at(i)] ?? '')).totalHits > 0) allowed++;
      },
    },
  ],
  200_000,
  9,
);
console.log(
  JSON.stringify({ ...Object.fromEntries([...timings].map(([name, { medianNs }]) => [name, medianNs])), allowed }),
);
process.exit(0);
