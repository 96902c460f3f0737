// One process of some that take quota ahead: asks for more than there is, and prints what it was given and when. It ends without giving anything back.
import { createClient } from 'redis';
import { sliceStore } from '../../../src/slices/slice-store.ts';
import { createRedisStore } from '../../../src/stores/redis/index.ts';
import { guardStore } from '../../../src/stores/guarded-store.ts';
import type { Ask } from '../../../src/stores/store.ts';
import { askOf } from './asks.ts';
import { type Admission, windowRules } from './fleet.ts';

const [url = '', forMs = '0'] = process.argv.slice(2);
const client = createClient({ url, database: 5 });
await client.connect();
const guarded = guardStore(createRedisStore({ client, deadlineMs: 10_000 }), { deadlineMs: 10_000 });
const store = sliceStore(guarded, { rules: windowRules.map(({ name }) => name) });
const untilMs = performance.now() + Number(forMs);
let sliced = 0;

const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

async function spend(ask: Ask): Promise<Admission[]> {
  const admissions: Admission[] = [];
  // Longer where the machine is so slow that there is nothing to see yet.
  const enough = ask.rule.limit / 2;
  for (
    let n = 1;
    performance.now() < untilMs || ((admissions.length < enough || sliced === 0) && performance.now() < 30_000);
    n++
  ) {
    const sentUs = nowUs();
    const { allowed, source } = await store.decide({ kind: 'consume', asks: [ask] });
    if (allowed) admissions.push([sentUs, nowUs(), ask.cost]);
    if (source === 'slice') sliced++;
    // Slices need no turn of the event loop; their timers and what else a process does need one. Now and then they are late.
    if (n % 400 === 0) for (const lateMs = performance.now() + 15; performance.now() < lateMs;);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return admissions;
}

const windows = await Promise.all(windowRules.map((rule) => spend(askOf(rule))));
process.stdout.write(JSON.stringify({ windows, sliced }), () => process.exit(0));
