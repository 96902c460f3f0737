// Prints the CPU cost of one decision in memory, of ours and of its peers, with as many keys as the argument says.
import { createRateLimiter } from '@sage-adk/ratelimit';
import { MemoryStore } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { measure } from '../harness/measure.ts';

const keyCount = Number(process.argv[2]);
const keys = Array.from({ length: keyCount }, (_, index) => `user-${index}`);
// Where keys are many, a unit takes longer to come back than the run lasts: a key that is whole again would be forgotten, and cost nothing.
const limit = keyCount === 1 ? 30_000_000 : 500;

const ours = createRateLimiter({ rules: [{ name: 'user', scope: 'user', limit, per: 'day' }], maxKeys: keyCount });
const flexible = new RateLimiterMemory({ points: limit, duration: 86_400 });
const express = new MemoryStore();
express.init({ windowMs: 86_400_000 } as Parameters<MemoryStore['init']>[0]);

for (const key of keys) {
  ours.checkSync({ user: key });
  await flexible.consume(key);
  await express.increment(key);
}

// Keys in an order that no cache foresees, all of them; the same for all variants, each of which goes on where the one before it stopped.
const order = Uint32Array.from({ length: 1 << 20 }, (_, index) => (Math.imul(index, 2_654_435_761) >>> 0) % keyCount);
let next = 0;
const keyAt = (index: number): string => keys[order[index & 0xfffff] ?? 0] ?? '';
let allowed = 0;

const timings = await measure(
  [
    {
      name: 'ours sync',
      run: (count) => {
        let yes = 0;
        const from = next;
        for (let i = 0; i < count; i++) if (ours.checkSync({ user: keyAt(from + i) }).allowed) yes++;
        advance(count, yes);
      },
    },
    {
      name: 'ours async',
      run: async (count) => {
        let yes = 0;
        const from = next;
        for (let i = 0; i < count; i++) if ((await ours.check({ user: keyAt(from + i) })).allowed) yes++;
        advance(count, yes);
      },
    },
    {
      name: 'rate-limiter-flexible',
      run: async (count) => {
        let yes = 0;
        const from = next;
        for (let i = 0; i < count; i++) if ((await flexible.consume(keyAt(from + i))).remainingPoints >= 0) yes++;
        advance(count, yes);
      },
    },
    {
      name: 'express-rate-limit',
      run: async (count) => {
        let yes = 0;
        const from = next;
        for (let i = 0; i < count; i++) if ((await express.increment(keyAt(from + i))).totalHits > 0) yes++;
        advance(count, yes);
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

function advance(count: number, yes: number): void {
  next = (next + count) & 0xfffff;
  allowed += yes;
}
