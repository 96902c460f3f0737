import { expect, test } from '@jest/globals';
import type { PostgresClient } from '@sage-adk/core/postgres';
import { migrateFirst } from '../../src/storage/migrated.ts';

const under: PostgresClient = {
  query: async <Row>() => ['row'] as unknown as readonly Row[],
  transaction: (work) => work(under),
};

test('until the tables are made each call is refused at once and has them tried again, one try at a time', async () => {
  const tries: PromiseWithResolvers<void>[] = [];
  const { client, migrate } = migrateFirst(under, () => {
    const next = Promise.withResolvers<void>();
    tries.push(next);
    return next.promise;
  });
  const first = migrate();
  await expect(client.query('select 1')).rejects.toThrow('its tables are not made yet');
  await expect(client.transaction(async () => 1)).rejects.toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE' });
  expect(tries).toHaveLength(1);
  tries[0]?.reject(new Error('nobody is there'));
  await expect(first).rejects.toThrow('nobody is there');
  await expect(client.query('select 1')).rejects.toThrow('nobody is there');
  expect(tries).toHaveLength(2);
  tries[1]?.resolve();
  await new Promise(setImmediate);
  expect([await client.query('select 1'), await client.transaction(async () => 1)]).toEqual([['row'], 1]);
  expect(tries).toHaveLength(2);
});
