import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { createClient } from 'redis';
import { createHealth } from '../../src/index.ts';
import { postgresCheck, protocolCheck, redisCheck } from '../../src/ready-made/index.ts';

const { signal } = new AbortController();

describeWithService('redis', 'the check of Redis', (url) => {
  test('OH2: passes while Redis answers, and fails at once where the client is not connected', async () => {
    const client = createClient({ url });
    const check = redisCheck({ client });
    await expect(check.check(signal)).rejects.toMatchObject({ code: 'SAGE_HEALTH_NOT_CONNECTED' });
    await client.connect();
    await check.check(signal);
    client.destroy();
    await expect(check.check(signal)).rejects.toMatchObject({ code: 'SAGE_HEALTH_NOT_CONNECTED' });
  });
});

describeWithService('postgres', 'the check of PostgreSQL', (url) => {
  let sql: postgres.Sql;
  beforeAll(() => void (sql = postgres(url, { max: 1 })));
  afterAll(() => sql.end());

  test('OH2: passes while PostgreSQL answers, and fails when it does not', async () => {
    const check = postgresCheck({ client: fromPostgres(sql) });
    await check.check(signal);
    const nobody = postgres('postgres://app:s3cret-password@127.0.0.1:1/app', { connect_timeout: 1, max: 1 });
    await using health = createHealth({ checks: [postgresCheck({ client: fromPostgres(nobody) })] });
    await health.refresh();
    health.markStarted();
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'postgres: failing' });
    expect(JSON.stringify(health.ready())).not.toContain('s3cret-password');
    await nobody.end({ timeout: 0 });
  });
});

test('ioredis says by its status that it is not connected', async () => {
  let pings = 0;
  const client = { status: 'reconnecting', ping: async () => void pings++ };
  await expect(redisCheck({ client }).check(signal)).rejects.toThrow('not connected');
  client.status = 'ready';
  await redisCheck({ client, name: 'cache' }).check(signal);
  expect(pings).toBe(1);
});

test('OH2: the adapter of a protocol is well while it listens and its probe answers', async () => {
  const server = createServer();
  let answers = true;
  const probe = async (): Promise<void> => {
    if (!answers) throw new Error('no card');
  };
  const check = protocolCheck({ server, probe, name: 'protocol.a2a' });
  await expect(check.check(signal)).rejects.toMatchObject({ code: 'SAGE_HEALTH_NOT_LISTENING' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await check.check(signal);
  answers = false;
  await expect(check.check(signal)).rejects.toThrow('no card');
  server.close();
});
