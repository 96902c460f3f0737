/** A process that works on a dead-letter queue and kills itself at the step that it is told. */
import { appendFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { fromPostgres } from '@sage-adk/core/postgres';
import { stepped, work } from './steps.ts';

const [kind, url = '', queue = '', schema = '', file = '', lastStep, lastPhase] = process.argv.slice(2);

// Only what is needed is loaded: there are many of these processes.
async function open() {
  if (kind === 'postgres') {
    const { default: postgres } = await import('postgres');
    const { createPostgresDeadLetters } = await import('../../src/dead-letters/postgres/index.ts');
    const client = fromPostgres(postgres(url, { max: 2, fetch_types: false, onnotice: () => {} }));
    await client.query('select 1');
    return createPostgresDeadLetters({ client, schema, queue });
  }
  const { createClient } = await import('redis');
  const { createRedisDeadLetters } = await import('../../src/dead-letters/redis/index.ts');
  const client = createClient({ url });
  await client.connect();
  return createRedisDeadLetters({ client, prefix: 'test:dlq', queue, deadlineMs: 5_000 });
}

const opened = await open();
// Nobody else could: whoever is killed keeps nothing of what it compiled.
flushCompileCache();
const store = stepped(opened, (step, phase) => {
  if (step !== Number(lastStep) || phase !== lastPhase) return;
  // The request has left when the sockets were served once.
  if (phase === 'during') setImmediate(() => process.kill(process.pid, 'SIGKILL'));
  else process.kill(process.pid, 'SIGKILL');
});
await work(store, (what, key) => appendFileSync(file, `${what} ${key}\n`));
process.exit(0);
