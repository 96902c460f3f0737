import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import { migratePostgresStore } from '../../../src/stores/postgres/migrate.ts';
import { openPostgresStore } from '../../../src/stores/postgres/postgres-store.ts';
import { casesOf } from '../cases-of.ts';
import { drivers, type Opened } from './drivers.ts';

describeWithService('postgres', 'RL18: the PostgreSQL store keeps the store contract', (url) => {
  for (const [number, { name: driver, open }] of drivers.entries()) {
    describe(driver, () => {
      const schema = `contract_${number}`;
      let opened: Opened;
      beforeAll(async () => {
        opened = open(url);
        await opened.client.query(`drop schema if exists ${schema} cascade`);
        await migratePostgresStore(opened.client, { schema });
      });
      afterAll(async () => opened.close());
      for (const [index, { name, run }] of casesOf(number).entries()) {
        test(name, () =>
          run(async (startUs) => {
            let nowUs = startUs;
            await opened.client.query(
              `truncate ${tables.map((table) => `${schema}.sage_limiter_${table}`).join(', ')}`,
            );
            const store = openPostgresStore(
              // In turn all in one table, all in the other, and as they belong.
              {
                client: opened.client,
                schema,
                deadlineMs: 5_000,
                ...(index % 3 > 0 && { logged: () => index % 3 === 1 }),
              },
              () => nowUs,
            );
            return { store, advanceUs: (us) => void (nowUs += us) };
          }),
        );
      }
    });
  }
});

const tables = ['logged', 'unlogged', 'logged_part', 'unlogged_part'];
