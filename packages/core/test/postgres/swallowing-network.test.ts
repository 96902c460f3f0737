/** A network that forgets the connections it has, as after a failover or behind a NAT: what goes over them is lost, and new ones are fine. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import pg from 'pg';
import { fromPg } from '../../src/postgres/index.ts';

describeWithService('postgres', 'a network that swallows what pg sends', (url) => {
  let network: Network;
  beforeAll(async () => {
    network = await startNetwork(Number(new URL(url).port));
  });
  afterAll(() => network.close());

  const begunAt = ['begin', 'a statement', 'commit', 'rollback', 'the next call'] as const;

  test.each(begunAt)('costs each connection one transaction, where it begins at %s', async (moment) => {
    const through = new URL(url);
    through.port = String(network.port);
    const pool = new pg.Pool({ connectionString: through.href, max: 2, connectionTimeoutMillis: 5_000 });
    pool.on('error', () => {});
    const client = fromPg(pool, { deadlineMs: 200 });
    const swallowAt = (now: string): void => {
      if (now === moment) network.swallow();
    };
    const transactionThat = (fails: boolean): Promise<unknown> =>
      client.transaction(async (queries) => {
        swallowAt('a statement');
        await queries.query('select 1');
        swallowAt(fails ? 'rollback' : 'commit');
        if (fails) throw new Error('the work changed its mind');
      });
    const both = (work: () => Promise<unknown>) => Promise.allSettled([work(), work()]);

    await both(() => client.query('select pg_sleep(0.05)'));
    swallowAt('begin');
    await both(() => transactionThat(moment === 'rollback'));
    swallowAt('the next call');
    if (moment === 'the next call') await both(() => client.query('select 1'));

    expect(await client.transaction((queries) => queries.query('select 1 as one'), { deadlineMs: 5_000 })).toEqual([
      { one: 1 },
    ]);
    expect(pool.waitingCount).toBe(0);
    await pool.end();
  });
});

interface Network {
  readonly port: number;
  /** Loses what goes over the connections there are. */
  swallow(): void;
  close(): void;
}

async function startNetwork(targetPort: number): Promise<Network> {
  const known = new Set<Socket>();
  const lost = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    known.add(near);
    near.on('data', (data) => lost.has(near) || far.write(data)).on('error', () => {});
    far.on('data', (data) => lost.has(near) || near.write(data)).on('error', () => {});
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      for (const socket of known) lost.add(socket);
    },
    close() {
      server.close();
      for (const socket of known) socket.destroy();
    },
  };
}
