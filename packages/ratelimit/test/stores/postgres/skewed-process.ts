/**
 * A process whose clock is wrong: asks as fast as it gets answers, and prints the units it was given.
 *
 * Arguments: URL, schema, milliseconds to run, milliseconds that its clock is off.
 */
import { fromPostgres } from '@sage-adk/core/postgres';
import postgres from 'postgres';
import { openPostgresStore } from '../../../src/stores/postgres/postgres-store.ts';
import { skewRules } from './skew-rules.ts';

const [url = '', schema = '', runMs = '0', skewMs = '0'] = process.argv.slice(2);
const clock = {
  now: () => Date.now() + Number(skewMs),
  monotonicMs: () => performance.now(),
  setTimer: (callback: () => void, delayMs: number) => {
    const timeout = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};
const sql = postgres(url, { max: 2, onnotice: () => {} });
const store = openPostgresStore({ client: fromPostgres(sql), schema, deadlineMs: 10_000, clock });
const untilMs = performance.now() + Number(runMs);
const admitted: Record<string, number> = {};
let errors = 0;

async function ask(): Promise<void> {
  while (performance.now() < untilMs) {
    for (const rule of skewRules) {
      try {
        const { allowed } = await store.decide({ kind: 'consume', asks: [{ rule, key: 'shared', cost: 1 }] });
        if (allowed) admitted[rule.name] = (admitted[rule.name] ?? 0) + 1;
      } catch {
        errors++;
      }
    }
  }
}

await Promise.all([ask(), ask()]);
await sql.end();
process.stdout.write(JSON.stringify({ admitted, errors }));
