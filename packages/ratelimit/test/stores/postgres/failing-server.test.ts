import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  behindTimer,
  describeWithService,
  leastOf,
  msUntil,
  type Server,
  started,
  startPostgres,
} from '@tooling/services';
import { migratePostgresStore } from '../../../src/stores/postgres/migrate.ts';
import { createPostgresStore, type PostgresStore } from '../../../src/stores/postgres/postgres-store.ts';
import { drivers, type Opened } from './drivers.ts';
import { compile } from './compile.ts';

const perDay = compile({
  name: 'day',
  scope: 'user',
  limit: 1_000_000,
  per: 'day',
  strategy: 'fixed-window',
  anchored: true,
});
const money = compile({ name: 'money', scope: 'user', unit: 'cost', limit: 1_000_000, per: 'day' });
const slots = compile({ name: 'slots', scope: 'user', unit: 'concurrency', limit: 5 });
const perMinute = compile({
  name: 'minute',
  scope: 'user',
  limit: 1_000,
  per: { ms: 3_599_999 },
  strategy: 'sliding-window',
});

describeWithService('postgres', 'RL26: the PostgreSQL store on a server that fails', () => {
  let server: Server;
  beforeAll(async () => {
    server = started(await startPostgres({ fresh: true }));
  });
  afterAll(async () => server.stop());

  for (const { name, open } of drivers) {
    describe(name, () => {
      let opened: Opened;
      let store: PostgresStore;
      const ask = (rule = perDay, cost = 1) => ({ rule, key: `user-${name}`, cost });
      beforeAll(async () => {
        opened = open(server.url, 4);
        await migratePostgresStore(opened.client);
        store = createPostgresStore({ client: opened.client });
      });
      afterAll(async () => opened.close());

      test('a server that stalls is an error at the deadline, and answers again within a second', async () => {
        // The first decision of a connection also opens it, which may take longer than a decision may.
        await msUntil(() => decides(store, ask()));
        const failing = async () => {
          const results = await Promise.allSettled(
            Array.from({ length: 8 }, async () => store.decide({ kind: 'consume', asks: [ask()] })),
          );
          expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'rejected'));
        };
        let lateMs = Number.POSITIVE_INFINITY;
        const againMs = await leastOf(1_000, async () => {
          await server.pause();
          lateMs = Math.min(lateMs, await leastOf(100, () => behindTimer(50, failing)));
          await server.resume();
          return msUntil(() => decides(store, ask()));
        });
        expect(lateMs).toBeLessThan(100);
        expect(againMs).toBeLessThan(1_000);
      });

      test('RL18: a restart keeps what is in LOGGED and in UNLOGGED tables', async () => {
        const patient = createPostgresStore({ client: opened.client, deadlineMs: 5_000 });
        const asks = [ask(perMinute, 30), ask(money, 20)].map((one) => ({ ...one, key: `restarted-${name}` }));
        await patient.decide({ kind: 'consume', asks });
        await server.restart();
        await msUntil(() => decides(patient, ask(perDay, 0)));
        const { findings } = await patient.decide({ kind: 'peek', asks });
        expect(findings.map(({ rule, remaining }) => rule.limit - remaining)).toEqual([30, 20]);
      });

      test('kill -9 keeps every LOGGED decision that was answered, and loses the UNLOGGED', async () => {
        const patient = createPostgresStore({ client: opened.client, deadlineMs: 5_000 });
        await patient.decide({ kind: 'consume', asks: [ask(perMinute, 400), ask(money, 300)] });
        const reserve = { kind: 'reserve', ttlUs: 600_000_000, maxWaitUs: 0 } as const;
        const id = `kept-${name}`.padEnd(22, '_');
        await patient.decide({ ...reserve, id, asks: [ask(money, 70), ask(slots)] });
        const usedBefore = await usedOf(patient, ask(perDay, 0));
        const count = { answered: 0 };
        const writers = Array.from({ length: 4 }, async () => {
          for (;;) {
            try {
              const { allowed } = await patient.decide({ kind: 'consume', asks: [ask()] });
              if (allowed) count.answered++;
            } catch {
              return;
            }
          }
        });
        while (count.answered < 50) await new Promise((resolve) => setImmediate(resolve));
        const againMs = await leastOf(1_000, async () => {
          await server.kill();
          await Promise.all(writers);
          await server.restart();
          return msUntil(() => decides(store, ask(perDay, 0)));
        });
        expect(againMs).toBeLessThan(1_000);

        const used = (await usedOf(patient, ask(perDay, 0))) - usedBefore;
        expect(used).toBeGreaterThanOrEqual(count.answered);
        // What was on its way may have been carried out.
        expect(used).toBeLessThanOrEqual(count.answered + 4);
        expect(await usedOf(patient, ask(money, 0))).toBe(370);
        expect(await usedOf(patient, ask(slots, 0))).toBe(1);
        expect(await usedOf(patient, ask(perMinute, 0))).toBe(0);
        expect(await patient.settle({ id, asks: [ask(money, 20), ask(slots, 0)] })).toEqual({
          settled: true,
          over: [0, 0],
        });
        expect([await usedOf(patient, ask(money, 0)), await usedOf(patient, ask(slots, 0))]).toEqual([320, 0]);
      });
    });
  }
});

async function usedOf(store: PostgresStore, ask: Parameters<PostgresStore['reset']>[0][number]): Promise<number> {
  const { findings } = await store.decide({ kind: 'peek', asks: [ask] });
  return ask.rule.limit - (findings[0]?.remaining ?? Number.NaN);
}

function decides(store: PostgresStore, ask: Parameters<PostgresStore['reset']>[0][number]): Promise<boolean> {
  return Promise.resolve(store.decide({ kind: 'consume', asks: [ask] })).then(
    () => true,
    () => false,
  );
}
