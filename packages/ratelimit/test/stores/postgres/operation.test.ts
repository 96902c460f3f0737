import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createSeededRandom } from '@sage-adk/core/testing';
import { describeWithService, started, startPostgres } from '@tooling/services';
import { migratePostgresStore } from '../../../src/stores/postgres/migrate.ts';
import {
  createPostgresStore,
  openPostgresStore,
  type PostgresStoreOptions,
} from '../../../src/stores/postgres/postgres-store.ts';
import { freshBucket, mostDebt, mostParts, reweigh } from '../../../src/strategies/bucket.ts';
import { drivers, type Opened } from './drivers.ts';
import { compile } from './compile.ts';

const requests = compile({ name: 'requests', scope: 'user', limit: 2, per: 'second', strategy: 'fixed-window' });
const money = compile({ name: 'money', scope: 'user', unit: 'cost', limit: 1_000, per: 'day' });
const schema = 'Operation "1" $$ $& $T';
const quoted = '"Operation ""1"" $$ $& $T"';

describeWithService('postgres', 'the PostgreSQL store in operation', (url) => {
  let opened: Opened;
  let nowUs = 1_760_000_000_000_000;
  const storeWith = (options: Partial<PostgresStoreOptions> = {}) =>
    openPostgresStore({ client: opened.client, schema, deadlineMs: 5_000, ...options }, () => nowUs);
  const ask = (rule = requests, cost = 1, key = 'ada') => ({ rule, key, cost });
  const rowsOf = async (text: string) => opened.client.query(text.replaceAll('@', () => `${quoted}.sage_limiter`));

  beforeAll(async () => {
    opened = drivers[0].open(url);
    await opened.client.query(`drop schema if exists ${quoted} cascade`);
    await Promise.all([1, 2, 3].map(async () => migratePostgresStore(opened.client, { schema })));
  });
  beforeEach(async () => {
    await rowsOf('truncate @_logged, @_logged_part, @_unlogged, @_unlogged_part, @_audit');
  });
  afterAll(async () => opened.close());

  test('migrating again does nothing, whatever the schema is called', async () => {
    expect(await migratePostgresStore(opened.client, { schema })).toEqual({ applied: [], pending: [] });
  });

  test('a debt in another weight is the same as in TypeScript, to the part', async () => {
    const random = createSeededRandom(7);
    const upTo = (most: number) => 1 + Math.floor(random() ** 3 * most);
    const drawn = Array.from({ length: 500 }, () => ({
      debt: upTo(mostDebt),
      from: upTo(mostParts),
      to: upTo(mostParts),
    }));
    const rows = drawn.map(({ debt, from, to }, n) => `(${n}, ${debt}, ${from}, ${to})`).join(', ');
    const reweighed = await rowsOf(
      `select @_reweigh(debt, "from", "to")::text as debt from (values ${rows}) v (n, debt, "from", "to") order by n`,
    );
    const expected = drawn.map(({ debt, from, to }) => {
      const state = { ...freshBucket(), debt };
      reweigh(state, from, to);
      return { debt: String(state.debt) };
    });
    expect(reweighed).toEqual(expected);
  });

  test('money and long windows are in LOGGED tables, short windows in UNLOGGED ones', async () => {
    await storeWith().decide({ kind: 'consume', asks: [ask(), ask(money)] });
    expect(
      await rowsOf(`select t.rule, c.relpersistence as kept from @_logged t join pg_class c on c.oid = t.tableoid
      union all select t.rule, c.relpersistence from @_unlogged t join pg_class c on c.oid = t.tableoid order by 1`),
    ).toEqual([
      { rule: money.id, kept: 'p' },
      { rule: requests.id, kept: 'u' },
    ]);
  });

  test('a denial leaves every row as it was, down to its version', async () => {
    const store = storeWith();
    await store.decide({ kind: 'consume', asks: [ask(requests, 2), ask(money)] });
    const versions = () =>
      rowsOf(
        'select xmin::text, xmax::text, t::text from @_logged t union all select xmin::text, xmax::text, t::text from @_unlogged t',
      );
    const before = await versions();
    expect(
      (await store.decide({ kind: 'consume', asks: [ask(), ask(money), ask(money, 1, 'new')].slice(0, 2) })).allowed,
    ).toBe(false);
    expect(await versions()).toEqual(before);
  });

  test('decisions and settlements of one turn share a transaction, and each is all or nothing by itself', async () => {
    const store = storeWith({ lanes: 1 });
    const reserve = { kind: 'reserve', ttlUs: 60_000_000, maxWaitUs: 0 } as const;
    const id = 's'.repeat(22);
    const [held, both, tooMuch, settled, rest] = await Promise.all([
      store.decide({ ...reserve, id, asks: [ask(money, 900)] }),
      store.decide({ kind: 'consume', asks: [ask(), ask(money, 100)] }),
      store.decide({ kind: 'consume', asks: [ask(), ask(money, 1)] }),
      store.settle({ id, asks: [ask(money, 400)] }),
      store.decide({ kind: 'consume', asks: [ask(), ask(money, 500)] }),
    ]);
    expect([held.allowed, both.allowed, tooMuch.allowed, rest.allowed]).toEqual([true, true, false, true]);
    expect(tooMuch.findings.map(({ allowed }) => allowed)).toEqual([true, false]);
    expect(settled).toEqual({ settled: true, over: [0] });
    expect(rest.findings.map(({ remaining }) => remaining)).toEqual([0, 0]);
    const writers = await rowsOf('select xmin::text as by from @_logged union select xmin::text from @_unlogged');
    expect(writers).toHaveLength(1);
  });

  test('a sweep removes what counts no more, at most so much, and nothing else', async () => {
    const store = storeWith();
    for (const key of ['a', 'b', 'c'])
      await store.decide({ kind: 'consume', asks: [ask(requests, 1, key), ask(money, 1, key)] });
    const reserve = {
      kind: 'reserve',
      id: 'r'.repeat(22),
      ttlUs: 3_000_000,
      maxWaitUs: 0,
      asks: [ask(requests, 1, 'd')],
    } as const;
    await store.decide(reserve);
    expect(await store.sweep({ limit: 100 })).toBe(0);
    nowUs += 1_500_000;
    expect(await store.sweep({ limit: 2 })).toBe(2);
    expect(await store.sweep({ limit: 100 })).toBe(1);
    expect(await rowsOf('select key from @_unlogged')).toEqual([{ key: 'd' }]);
    nowUs += 1_500_000;
    expect(await rowsOf('select count(*)::int as parts from @_unlogged_part')).toEqual([{ parts: 1 }]);
    expect(await store.sweep({ limit: 100 })).toBe(1);
    expect(await rowsOf('select count(*)::int as parts from @_unlogged_part')).toEqual([{ parts: 0 }]);
    expect(await rowsOf('select count(*)::int as keys from @_logged')).toEqual([{ keys: 3 }]);
  });

  test('RL23: money is written down in the transaction of its decision, and the views tell who used what', async () => {
    const store = storeWith({ audit: { mode: 'money' } });
    const id = 'm'.repeat(22);
    await store.decide({ kind: 'reserve', id, ttlUs: 60_000_000, maxWaitUs: 0, asks: [ask(money, 400)] });
    await store.settle({ id, asks: [ask(money, 150)] });
    await store.decide({ kind: 'consume', asks: [ask(money, 900)] });
    expect(await rowsOf('select kind, cost::int, held::int, allowed from @_audit order by at')).toEqual([
      { kind: 'reserve', cost: 400, held: 0, allowed: true },
      { kind: 'settle', cost: 150, held: 400, allowed: true },
      { kind: 'consume', cost: 900, held: 0, allowed: false },
    ]);
    expect(await rowsOf('select scope, key, unit, units, denied from @_usage')).toEqual([
      { scope: 'user', key: 'ada', unit: 'cost', units: 150, denied: 1 },
    ]);
    expect(await rowsOf('select key, denials from @_top_denied')).toEqual([{ key: 'ada', denials: 1 }]);
  });

  test('RL23: with every decision written down, the view tells what was used of every unit', async () => {
    const tokens = compile({ name: 'tokens', scope: 'user', unit: 'tokens', limit: 10_000, per: 'minute' });
    await using store = storeWith({ audit: { mode: 'all' } });
    const asks = (units: number) => [ask(tokens, units), ask(money, units)];
    for (const id of ['u'.repeat(22), 'v'.repeat(22)]) {
      await store.decide({ kind: 'reserve', id, ttlUs: 60_000_000, maxWaitUs: 0, asks: asks(400) });
      await store.decide({ kind: 'charge', id, asks: asks(50) });
      await store.settle({ id, asks: asks(120) });
      await store.settle({ id, asks: asks(999) });
    }
    await store.decide({ kind: 'consume', asks: asks(7) });
    await store.flushAudit();
    expect(await rowsOf('select unit, units, admitted from @_usage order by unit')).toEqual([
      { unit: 'cost', units: 247, admitted: 5 },
      { unit: 'tokens', units: 247, admitted: 5 },
    ]);
  });

  test('RL23: other rows are written in batches: nothing on the way of a decision', async () => {
    await using store = storeWith({ audit: { mode: 'denials', maxWaiting: 2 } });
    await store.decide({ kind: 'consume', asks: [ask(requests, 2)] });
    for (let n = 0; n < 3; n++) await store.decide({ kind: 'consume', asks: [ask()] });
    expect(store.auditCounts()).toEqual({ waiting: 2, dropped: 1 });
    await store.flushAudit();
    expect(await rowsOf('select kind, rule, allowed from @_audit')).toEqual(
      Array.from({ length: 2 }, () => ({ kind: 'consume', rule: requests.id, allowed: false })),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await store.pruneAudit({ olderThanMs: 60_000, limit: 10 })).toBe(0);
    expect(await store.pruneAudit({ olderThanMs: 1, limit: 1 })).toBe(1);
    expect(await store.pruneAudit({ olderThanMs: 1, limit: 10 })).toBe(1);
  });

  test('a reservation that nobody settled in time is seen as a leak', async () => {
    const store = createPostgresStore({ client: opened.client, schema, deadlineMs: 5_000 });
    await store.decide({ kind: 'reserve', id: 'x'.repeat(22), ttlUs: 1, maxWaitUs: 0, asks: [ask(money, 5)] });
    expect(await rowsOf('select id, held::int from @_leaks')).toEqual([{ id: 'x'.repeat(22), held: 5 }]);
  });

  test('options out of range are refused at once', () => {
    expect(() => storeWith({ deadlineMs: 0 })).toThrow('deadlineMs');
    expect(() => storeWith({ audit: { mode: 'none' as 'all' } })).toThrow('audit.mode');
  });
});

describeWithService('postgres', 'a PostgreSQL server with room for few locks', () => {
  test('a sweep of many keys takes them in steps, and decisions go on', async () => {
    const settings = { max_connections: 10, max_locks_per_transaction: 20, fsync: 'off' };
    const server = started(await startPostgres({ fresh: true, settings }));
    const opened = drivers[0].open(server.url, 4);
    const { client } = opened;
    try {
      await migratePostgresStore(client);
      await client.query(`insert into sage_limiter_unlogged (rule, key, state, idle_us, until_us)
        select '${requests.id}', 'user' || i, '{1,1,2}', 1, 0 from generate_series(1, 4_000) i`);
      const store = createPostgresStore({ client, deadlineMs: 5_000 });
      const asks = [{ rule: money, key: 'ada', cost: 1 }];
      const [removed, { allowed }] = await Promise.all([
        store.sweep({ limit: 3_999 }),
        store.decide({ kind: 'consume', asks }),
      ]);
      expect([removed, allowed]).toEqual([3_999, true]);
      expect(await store.sweep({ limit: 1_000_000 })).toBe(1);
    } finally {
      await opened.close();
      await server.stop();
    }
  });
});
