// One process of many: asks for more than there is, with a clock that is wrong, and prints what it was given and when.
import { randomBytes } from 'node:crypto';
import { systemClock } from '@sage-adk/core';
import type { Ask, LimiterStore } from '../../src/stores/store.ts';
import { askOf } from '../stores/redis/asks.ts';
import { type Admission, budgetRule, slotsRule, windowRules, type WorkerReport } from '../stores/redis/fleet.ts';

const [kind = '', url = '', schema = '', skewMs = '0', forMs = '0'] = process.argv.slice(2);
const clock = {
  ...systemClock,
  now: () => Date.now() + Number(skewMs),
  monotonicMs: () => performance.now() + Number(skewMs),
};
const { store, end } = await open();
const untilMs = performance.now() + Number(forMs);

async function open(): Promise<{ readonly store: LimiterStore; readonly end: () => Promise<void> }> {
  // Sixteen processes start at once: each loads only what it needs.
  if (kind === 'postgres') {
    const { fromPostgres } = await import('@sage-adk/core/postgres');
    const { default: postgres } = await import('postgres');
    const { openPostgresStore } = await import('../../src/stores/postgres/postgres-store.ts');
    const sql = postgres(url, { max: 3, fetch_types: false, onnotice: () => {} });
    const client = fromPostgres(sql);
    return { store: openPostgresStore({ client, schema, deadlineMs: 30_000, clock }), end: () => sql.end() };
  }
  const { createClient } = await import('redis');
  const { createRedisStore } = await import('../../src/stores/redis/index.ts');
  const client = await createClient({ url, database: 4 }).connect();
  return { store: createRedisStore({ client, deadlineMs: 30_000, clock }), end: () => client.close() };
}

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
  // Looked at while this process holds nothing, so the last one to stop sees what is left when nobody does: however slow the machine is, the budget is used up.
  while (performance.now() < untilMs || (performance.now() < untilMs + 60_000 && (await left()) >= 3 * 40)) {
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

async function left(): Promise<number> {
  const { findings } = await store.decide({ kind: 'peek', asks: [askOf(budgetRule)] });
  return findings[0]?.remaining ?? 0;
}

const [held, ...windows] = await Promise.all([hold(), ...windowRules.map((rule) => spend(askOf(rule)))]);
const report: WorkerReport = { ...held, windows };
process.stdout.write(JSON.stringify(report));
await end();
