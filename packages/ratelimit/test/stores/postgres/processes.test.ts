import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { migratePostgresStore } from '../../../src/stores/postgres/migrate.ts';
import { createPostgresStore } from '../../../src/stores/postgres/postgres-store.ts';
import { drivers, type Opened } from './drivers.ts';
import { compile } from './compile.ts';

const schema = 'processes';

describeWithService('postgres', 'the PostgreSQL store shared by many', (url) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = drivers[0].open(url, 64);
    await opened.client.query(`drop schema if exists ${schema} cascade`);
    await migratePostgresStore(opened.client, { schema });
  });
  afterAll(async () => opened.close());

  test('RL18: 64 concurrent writers of four rules in any order end without a deadlock, and none exceeds a limit', async () => {
    const rules = ['a', 'b', 'c', 'd'].map((name) =>
      compile({ name, scope: 'user', limit: 300, per: name < 'c' ? 'hour' : 'minute', strategy: 'sliding-window' }),
    );
    const writers = Array.from({ length: 64 }, async (_, writer) => {
      // Each its own store: the decisions of one would share statements.
      const store = createPostgresStore({ client: opened.client, schema, deadlineMs: 30_000 });
      let admitted = 0;
      for (let round = 0; round < 12; round++) {
        const turn = (writer + round) % 4;
        const asks = [...rules.slice(turn), ...rules.slice(0, turn)].map((rule) => ({ rule, key: 'shared', cost: 1 }));
        const { allowed } = await store.decide({ kind: 'consume', asks: round % 2 === 0 ? asks : asks.toReversed() });
        if (allowed) admitted++;
      }
      return admitted;
    });
    const admitted = await Promise.all(writers);
    expect(admitted.reduce((sum, count) => sum + count)).toBe(300);
  });
});
