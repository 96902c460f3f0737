// One process of many: asks for more than there is, with a clock that is wrong, and prints what it was given and when.
import { randomBytes } from 'node:crypto';
import { systemClock } from '@sage-adk/core';
import { createClient } from 'redis';
import { createRedisStore } from '../../../src/stores/redis/index.ts';
import type { Ask } from '../../../src/stores/store.ts';
import { askOf } from './asks.ts';
import { type Admission, budgetRule, slotsRule, windowRules, type WorkerReport } from './fleet.ts';

const [url = '', skewMs = '0', forMs = '0'] = process.argv.slice(2);
const clock = { ...systemClock, now: () => Date.now() + Number(skewMs) };
const client = createClient({ url, database: 4 });
await client.connect();
const store = createRedisStore({ client, deadlineMs: 10_000, clock });
const untilMs = performance.now() + Number(forMs);

/** Microseconds on the clock that all processes of a machine share. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

async function spend(ask: Ask): Promise<Admission[]> {
  const admissions: Admission[] = [];
  while (performance.now() < untilMs) {
    const sentUs = nowUs();
    const { allowed } = await store.decide({ kind: 'consume', asks: [ask] });
    if (allowed) admissions.push([sentUs, nowUs(), ask.cost]);
  }
  return admissions;
}

async function hold(): Promise<{ slots: Admission[]; spent: number }> {
  const slots: Admission[] = [];
  let spent = 0;
  while (performance.now() < untilMs) {
    const id = randomBytes(16).toString('base64url');
    const reserved = 1 + Math.floor(Math.random() * 40);
    const asks = [askOf(slotsRule), askOf(budgetRule, reserved)];
    const { allowed } = await store.decide({ kind: 'reserve', asks, id, ttlUs: 6e7, maxWaitUs: 0 });
    if (!allowed) continue;
    const heldUs = nowUs();
    await new Promise((resolve) => setImmediate(resolve));
    const used = Math.floor(Math.random() * (reserved + 1));
    const releasedUs = nowUs();
    await store.settle({ id, asks: [askOf(slotsRule), askOf(budgetRule, used)] });
    slots.push([heldUs, releasedUs, 1]);
    spent += used;
  }
  return { slots, spent };
}

const [held, ...windows] = await Promise.all([hold(), ...windowRules.map((rule) => spend(askOf(rule)))]);
const report: WorkerReport = { ...held, windows };
process.stdout.write(JSON.stringify(report));
await client.close();
