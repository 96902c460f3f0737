import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { behindTimer, describeWithService, leastOf, type Server, startPostgres, started } from '@tooling/services';
import type { SageError } from '../../src/errors/sage-error.ts';
import { until } from '../until.ts';
import { drivers, type Opened } from './drivers.ts';

describeWithService('postgres', 'a PostgreSQL that fails', () => {
  let server: Server;
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => void unhandled.push(error);

  beforeAll(async () => {
    server = started(await startPostgres({ fresh: true }));
    process.on('unhandledRejection', listen);
  });
  afterAll(async () => {
    process.off('unhandledRejection', listen);
    await server.stop();
  });

  describe.each(drivers)('over $name', ({ open }) => {
    let opened: Opened;

    beforeAll(() => {
      opened = open(server.url, { max: 8, deadlineMs: 1_000 });
    });
    afterAll(() => opened.close());

    test('a stalled server is answered for within the deadline and 10 ms', async () => {
      const { client } = opened;
      await client.query('select 1');

      await server.pause();
      const lateMs: number[] = [];
      for (const call of [
        () => client.query('select 1', [], { deadlineMs: 50 }),
        () => client.transaction((queries) => queries.query('select 1'), { deadlineMs: 50 }),
      ]) {
        const failing = () => expect(call()).rejects.toMatchObject({ code: 'SAGE_POSTGRES_DEADLINE' });
        lateMs.push(await leastOf(10, () => behindTimer(50, failing)));
      }
      await server.resume();

      expect(Math.max(...lateMs)).toBeLessThan(10);
      await until(async () => (await client.query('select 1 as one').catch(() => [])).length === 1);
    });

    test('a connection that takes longer to open than the deadline serves the next statement', async () => {
      const gate = await startGate(server.port);
      const url = new URL(server.url);
      url.port = String(gate.port);
      const slow = open(url.href, { max: 1 });
      for (let round = 0; round < 3; round++) {
        await expect(slow.client.query('select 1', [], { deadlineMs: 20 })).rejects.toMatchObject({
          outcome: 'timeout',
        });
      }
      gate.open();
      expect(await slow.client.query('select $1::int as one', [1], { deadlineMs: 10_000 })).toEqual([{ one: 1 }]);
      await slow.close();
      gate.close();
    });

    test('a server that dies in a transaction ends it as transient, and another one works when it is back', async () => {
      const { client } = opened;
      await client.query('create table if not exists kept (id int)');
      const running = client.transaction(async (queries) => {
        await queries.query('insert into kept values (1)');
        await server.kill();
        return queries.query('select 1');
      });

      await expect(running).rejects.toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE', category: 'transient' });
      await expect(client.query('select 1')).rejects.toMatchObject({ category: 'transient' });
      await server.restart();
      await until(async () => (await client.query('select 1 as one').catch(() => [])).length === 1);
      expect(await client.query('select id from kept')).toEqual([]);
    });

    test('a statement that may have reached a server that dies says so, one that cannot have does not', async () => {
      const single = open(server.url, { max: 1 });
      await single.client.query('select 1');
      await server.pause();
      const running = single.client.query('select 2').catch((error: unknown) => error);
      await server.kill();
      expect(await running).toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE', details: { sent: true } });
      const error: unknown = await single.client.query('select 3').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'SAGE_POSTGRES_UNAVAILABLE', category: 'transient' });
      expect((error as SageError).details).not.toHaveProperty('sent');
      await server.restart();
      await single.close();
    });

    test('a server that dies while it is asked to cancel breaks nothing', async () => {
      const { client } = opened;
      await client.query('select 1');
      await server.pause();
      await expect(client.query('select pg_sleep(5)', [], { deadlineMs: 50 })).rejects.toMatchObject({
        code: 'SAGE_POSTGRES_DEADLINE',
      });
      // The connection for it is accepted by the system, and reset when the server is gone.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await server.kill();
      await server.restart();
      await until(async () => (await client.query('select 1 as one').catch(() => [])).length === 1);
    });

    test('a server that is started again while connections to it open breaks nothing', async () => {
      const { client } = opened;
      await server.pause();
      for (let round = 0; round < 4; round++) {
        const calls = Array.from({ length: 8 }, () => client.query('select 1', [], { deadlineMs: 50 }));
        const ends = await Promise.allSettled(calls);
        expect(ends.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
      }
      await server.resume();
      await server.restart();
      await until(async () => (await client.query('select 1 as one').catch(() => [])).length === 1);
    });

    test('nothing of it was an unhandled rejection', () => {
      expect(unhandled).toEqual([]);
    });
  });
});

/** Hands connections on to a server; keeps what the server answers until it is opened. */
async function startGate(targetPort: number): Promise<{ readonly port: number; open(): void; close(): void }> {
  const sockets = new Set<Socket>();
  const gates: (() => void)[] = [];
  let isOpen = false;
  const listener = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.pipe(far);
    near.on('close', () => far.destroy());
    if (isOpen) far.pipe(near);
    else gates.push(() => far.pipe(near));
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    open() {
      isOpen = true;
      for (const gate of gates) gate();
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
