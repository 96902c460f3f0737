import { afterAll, expect, test } from '@jest/globals';
import { fromPostgres, migrate } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createPostgresDeadLetters, migrateDeadLetters } from '../../src/dead-letters/postgres/index.ts';
import { migrations } from '../../src/dead-letters/postgres/migrations.ts';

describeWithService('postgres', 'letters of an earlier schema', (url) => {
  const sql = postgres(url, { max: 2, fetch_types: false, onnotice: () => {} });
  const client = fromPostgres(sql);
  const schema = `test_dlq_old_${process.pid}`;
  afterAll(async () => {
    await client.query(`drop schema if exists ${schema} cascade`);
    await sql.end();
  });

  test('ER12: are there after a migration, each in its state, and the same message is still the same', async () => {
    const packageName = '@sage-adk/recovery/dead-letters';
    await migrate({ client, schema, packageName, migrations: migrations.slice(0, 1) });
    const columns = `queue, id, source, dedupe_key, payload, headers, error, category, reason, fingerprint, state, version, failures, redrives`;
    const error = '{"category":"transient","reason":"network","name":"Error","message":"no"}';
    // As the store wrote them: the dedupe key "line\\nbreak" with its escape.
    for (const [number, key, state] of [
      ['1', 'a', 'dead'],
      ['2', 'line\\nbreak', 'parked'],
    ]) {
      await client.query(
        `insert into ${schema}.sage_dead_letters (${columns}, first_failed_at, failed_at, visible_at, expires_at)
         values ('q', $1, 'inbox', $2, '{"n":1}', '{}', $3, 'transient', 'network', '0123456789abcdef', $4, 3, 2, 1, now(), now(), now(), now() + interval '1 day')`,
        [`01900000-0000-7000-8000-00000000000${number}`, key, error, state],
      );
    }

    expect((await migrateDeadLetters({ client, schema })).applied).toEqual(['2-narrow']);
    expect((await migrateDeadLetters({ client, schema })).applied).toEqual([]);
    const store = createPostgresDeadLetters({ client, schema, queue: 'q' });
    const letters = [];
    for await (const { dedupeKey, state, version, failures } of store.query())
      letters.push({ dedupeKey, state, version, failures });
    expect(letters).toEqual([
      { dedupeKey: 'a', state: 'dead', version: 3, failures: 2 },
      { dedupeKey: 'line\nbreak', state: 'parked', version: 3, failures: 2 },
    ]);
    for (const dedupeKey of ['a', 'line\nbreak'])
      expect(await store.put({ source: 'inbox', dedupeKey, payload: 2, error: 'again' })).toMatchObject({
        duplicate: true,
      });
    expect((await store.claim({ limit: 10 })).map(({ payload }) => payload)).toEqual([{ n: 1 }]);
    await store.close();
  });

  test('ER16: letters whose retention is over go, wherever in the queue they stand', async () => {
    const store = createPostgresDeadLetters({ client, schema, queue: 'swept' });
    const old = `from ${schema}.sage_dead_letters where queue = 'swept' and source = 'old'`;
    await client.query(
      `insert into ${schema}.sage_dead_letters (id, key, version, visible_at, expires_at, first_failed_at, failed_at, failures, redrives, queue, state,
         source, dedupe_key, fingerprint, category, reason, headers, payload, error)
       select gen_random_uuid(), gen_random_uuid(), 1, now(), now(), now(), now(), 1, 0, 'swept', 'dead', 'old', number::text, '', '', '', '{}', '1', '{}'
       from generate_series(1, 900) as number`,
    );
    // One piece of the queue at each 256 puts.
    for (let puts = 0, left = 900; left > 0; puts += 32) {
      expect(puts).toBeLessThan(10 * 256);
      await Promise.all(Array.from({ length: 32 }, () => store.put({ source: 'new', payload: 1, error: 'no' })));
      left = (await client.query<{ left: number }>(`select count(*)::int as left ${old}`))[0]?.left ?? 0;
    }
    expect((await store.stats()).dead).toBeGreaterThanOrEqual(256);
    await store.close();
  });

  test('an id that no letter can have is nobody’s', async () => {
    const store = createPostgresDeadLetters({ client, schema, queue: 'q' });
    const claim = { id: "'; no uuid", version: 1 };
    expect(await store.ack(claim)).toBe(false);
    expect(await store.nack(claim)).toBe(false);
    expect(await store.extend(claim, 1_000)).toBe(false);
    expect(await store.release(claim.id)).toBe(false);
    expect(await store.claim({ ids: [claim.id] })).toEqual([]);
    await store.close();
  });
});
