/** The promises of the store contract, on a real server. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { systemClock } from '@sage-adk/core';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { openRedisStore } from '../../../src/stores/redis/redis-store.ts';
import { storeCases } from '../../../src/testing/index.ts';

describeWithService('redis', 'redis store', (url) => {
  const client = createClient({ url, database: 2 });
  let made = 0;

  beforeAll(async () => {
    await client.connect();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test.each(storeCases)('$name', async ({ run }) => {
    await run(async (startUs) => {
      let nowUs = startUs;
      const clock = { ...systemClock, now: () => nowUs / 1_000 };
      const tag = `contract-${process.pid}-${made++}`;
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
