/** The promises of the store contract, on a real server, through each client that the store takes. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { systemClock } from '@sage-adk/core';
import { fromIoredis, type RedisCommands } from '@sage-adk/core/redis';
import { describeWithService } from '@tooling/services';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { openRedisStore } from '../../../src/stores/redis/redis-store.ts';
import { casesOf } from '../cases-of.ts';

interface Opened {
  readonly client: RedisCommands;
  /** Removes what the database has, and closes the connection. */
  end(): Promise<void>;
}

const clients: readonly { readonly name: string; readonly open: (url: string) => Promise<Opened> }[] = [
  {
    name: 'redis 6',
    async open(url) {
      const client = createClient({ url, database: 2 });
      await client.connect();
      return {
        client,
        async end() {
          await client.flushDb();
          await client.close();
        },
      };
    },
  },
  {
    name: 'ioredis',
    async open(url) {
      const client = new Redis(url, { db: 10, lazyConnect: true, autoResendUnfulfilledCommands: false });
      await client.connect();
      return {
        client: fromIoredis(client),
        async end() {
          await client.flushdb();
          await client.quit();
        },
      };
    },
  },
];

for (const [number, { name: title, open }] of clients.entries()) {
  describeWithService('redis', `redis store over ${title}`, (url) => {
    let opened: Opened;
    let made = 0;
    beforeAll(async () => {
      opened = await open(url);
    });
    afterAll(() => opened.end());

    test.each(casesOf(number))('$name', async ({ run }) => {
      await run(async (startUs) => {
        let nowUs = startUs;
        const clock = { ...systemClock, now: () => nowUs / 1_000 };
        const tag = `contract-${process.pid}-${made++}`;
        const { client } = opened;
        const store = openRedisStore({ client, prefix: 'test', tag, deadlineMs: 10_000, clock }, () => nowUs);
        return {
          store,
          advanceUs: (us) => {
            nowUs += us;
          },
        };
      });
    });
  });
}
