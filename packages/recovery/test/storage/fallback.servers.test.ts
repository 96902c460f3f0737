/** The promise of each write over a real PostgreSQL and a real Redis, both killed, and processes that are killed too. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromPostgres } from '@sage-adk/core/postgres';
import { describeWithService, type Server, started, startPostgres, startRedis } from '@tooling/services';
import postgres from 'postgres';
import { migrateStorage } from '../../src/storage/postgres/index.ts';
import { openFallback } from './fallback-stores.ts';

interface Noted {
  readonly promise: string;
  readonly key: string;
  readonly n: number;
}

describeWithService('postgres', 'a storage fallback over servers that die', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-fallback-'));
  const workers = new Map<string, ChildProcess>();
  let truth: Server;
  let replica: Server;

  beforeAll(async () => {
    [truth, replica] = await Promise.all([
      startPostgres({ fresh: true }).then(started),
      startRedis({ fresh: true, args: ['--appendonly', 'yes', '--appendfsync', 'always'] }).then(started),
    ]);
    const sql = postgres(truth.url, { max: 1, fetch_types: false, onnotice: () => {} });
    await migrateStorage({ client: fromPostgres(sql) });
    await sql.end();
  });
  afterAll(async () => {
    for (const worker of workers.values()) worker.kill('SIGKILL');
    await Promise.all([truth.stop(), replica.stop()]);
    rmSync(folder, { recursive: true });
  });

  const fileOf = (name: string): string => join(folder, name);

  function start(name: string): void {
    writeFileSync(fileOf(name), '');
    const worker = fileURLToPath(new URL('./fallback-worker.ts', import.meta.url));
    const args = [truth.url, replica.url, name, fileOf(name)];
    workers.set(name, fork(worker, args, { execArgv: ['--disable-warning=ExperimentalWarning'] }));
  }

  function noted(name: string): readonly Noted[] {
    const lines = readFileSync(fileOf(name), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [promise = '', key = '', n] = line.split(' ');
      return { promise, key, n: Number(n) };
    });
  }

  /** Waits until each of the workers was promised so much, thirty times more than it has been. */
  async function promised(promise: string, names: readonly string[], more = 30): Promise<void> {
    const count = (name: string): number => noted(name).filter((one) => one.promise === promise).length;
    const goals = new Map(names.map((name) => [name, count(name) + more]));
    for (let looks = 0; looks < 3_000; looks++) {
      if (names.every((name) => count(name) >= (goals.get(name) ?? 0))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no more writes were ${promise} within a minute`);
  }

  test('ER10: over PostgreSQL and Redis every write that was acknowledged is in the primary in the end', async () => {
    start('first');
    start('second');
    await promised('primary', ['first', 'second']);
    await truth.kill();
    await promised('replicated-later', ['first', 'second']);
    // Its journal is left to the others.
    workers.get('first')?.kill('SIGKILL');
    await replica.kill();
    await promised('refused', ['second'], 3);
    await replica.restart();
    await promised('replicated-later', ['second']);
    await truth.restart();
    start('third');
    await promised('primary', ['second', 'third']);
    await truth.pause();
    await promised('replicated-later', ['second', 'third'], 5);
    await truth.resume();
    await promised('primary', ['second', 'third']);
    await truth.kill();
    await promised('replicated-later', ['second', 'third'], 10);
    for (const worker of workers.values()) worker.kill('SIGKILL');
    await truth.restart();

    const { primary, deadLetters, storage, close } = await openFallback(truth.url, replica.url);
    for (let looks = 0; looks < 1_000 && (await storage.recover()) !== 'primary'; looks++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(storage.state).toBe('primary');
    const acknowledged = [...workers.keys()].flatMap(noted).filter(({ promise }) => promise !== 'refused');
    const missing: Noted[] = [];
    for (const one of acknowledged) {
      const entry = await primary.get(one.key);
      if ((entry?.value as { n?: number } | undefined)?.n !== one.n) missing.push(one);
    }
    expect(missing).toEqual([]);
    expect(acknowledged.some(({ promise }) => promise === 'volatile')).toBe(false);
    // Each key was written once, so no write can have lost against another.
    expect(await deadLetters.stats()).toMatchObject({ dead: 0 });
    await close();
  });
});
