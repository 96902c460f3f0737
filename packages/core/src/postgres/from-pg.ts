import { createHash } from 'node:crypto';
import type { Wait } from '../bounded.ts';
import { operate } from '../operations/operate.ts';
import type { PostgresClient } from './client.ts';
import { createClient, type PostgresClientOptions, type Running, type Statement } from './create-client.ts';

/** What is needed of a pool of `pg`. */
export interface PgPool {
  connect(callback: (error: Error | undefined, connection: PgConnection | undefined) => void): void;
  /** Callers that wait for a connection. */
  readonly waitingCount: number;
}

export interface PgConnection {
  query(statement: { text: string; values?: unknown[]; name?: string }): Promise<PgResult | readonly PgResult[]>;
  /** Gives the connection back, or ends it where `destroy` is true. */
  release(destroy?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  /** The server's process; `pg` has it though its types do not say so. */
  readonly processID?: number | null;
}

export interface PgResult {
  readonly rows: readonly unknown[];
}

/**
 * Makes a {@link PostgresClient} of a pool of `pg`. A statement that is given up costs its connection, and is cancelled from another one of the pool.
 * Each wait for a connection is a `pool.acquire` operation of the pool `postgres`.
 *
 * Give the pool a `connectionTimeoutMillis`: else callers wait without end for a server that does not answer, long after their deadline.
 */
export function fromPg(
  pool: PgPool,
  { deadlineMs = 5_000, prepare = true, clock }: PostgresClientOptions = {},
): PostgresClient {
  const nameOf = prepare ? namesOf() : () => undefined;
  const run = (lease: Lease, { text, values }: Statement): Running => {
    const name = values === undefined ? undefined : nameOf(text);
    const statement = { text, ...(values !== undefined && { values }), ...(name !== undefined && { name }) };
    return { rows: lease.connection.query(statement).then(ofLast), cancel: () => void abandon(pool, lease) };
  };
  return createClient(
    {
      run(statement, wait) {
        let running: Running | undefined;
        const rows = leased(pool, wait, (lease) => {
          running = run(lease, statement);
          return running.rows;
        });
        return { rows, cancel: () => running?.cancel() };
      },
      transaction: (work, wait) =>
        leased(pool, wait, (lease) => transact(lease, () => work((statement) => run(lease, statement)))),
    },
    { deadlineMs, clock },
  );
}

/** A connection of the pool for as long as somebody uses it. */
interface Lease {
  readonly connection: PgConnection;
  end(destroy: boolean): void;
}

async function leased<T>(pool: PgPool, wait: Wait, work: (lease: Lease) => PromiseLike<T>): Promise<T> {
  const lease = await operate('pool.acquire', { pool: 'postgres' }, (operation) => {
    operation.set({ waiting: pool.waitingCount });
    return leaseOf(pool);
  });
  try {
    if (wait.over) throw new Error('nobody waits for the connection any more');
    return await work(lease);
  } finally {
    lease.end(false);
  }
}

/**
 * Listens for errors of the connection from when the pool no longer does, for one without a listener ends the process. So the pool must call
 * back: a promise comes after the next message, which may be the server's farewell. The statement that the connection carries fails as well.
 */
function leaseOf(pool: PgPool): Promise<Lease> {
  return new Promise((resolve, reject) => {
    pool.connect((error, connection) => {
      if (connection === undefined) {
        reject(error ?? new Error('the pool gave no connection'));
        return;
      }
      let ended = false;
      let broken = false;
      const onError = () => void (broken = true);
      connection.on('error', onError);
      resolve({
        connection,
        end(destroy) {
          if (ended) return;
          ended = true;
          connection.release(destroy || broken);
          if (!destroy && !broken) connection.off('error', onError);
        },
      });
    });
  });
}

async function transact<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  const { connection } = lease;
  await connection.query({ text: 'begin' });
  try {
    const result = await work();
    await connection.query({ text: 'commit' });
    return result;
  } catch (error) {
    // Where it cannot be rolled back the connection must not be used again.
    await connection.query({ text: 'rollback' }).catch(() => lease.end(true));
    throw error;
  }
}

/** Ends the connection and asks the server to stop what it does there, which it would not notice by itself. */
async function abandon(pool: PgPool, lease: Lease): Promise<void> {
  const { processID } = lease.connection;
  lease.end(true);
  if (typeof processID !== 'number' || pool.waitingCount > 0) return;
  try {
    await leased(pool, { over: false }, ({ connection }) =>
      connection.query({ text: 'select pg_cancel_backend($1)', values: [processID] }),
    );
  } catch {
    // The caller has its answer; the server's own statement_timeout is what is left.
  }
}

/** The name of each prepared statement, made once of its text. */
function namesOf(): (text: string) => string {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `sage_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
    return name;
  };
}

function ofLast(result: PgResult | readonly PgResult[]): readonly unknown[] {
  return ('rows' in result ? result : result.at(-1))?.rows ?? [];
}
