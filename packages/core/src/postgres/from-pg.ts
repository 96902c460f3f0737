import { createHash } from 'node:crypto';
import { bounded, type Wait } from '../bounded.ts';
import { type Clock, systemClock } from '../clock.ts';
import { operate } from '../operations/operate.ts';
import type { PostgresClient } from './client.ts';
import { createClient, type PostgresClientOptions, type Running, type Statement } from './create-client.ts';
import { postgresErrors } from './errors.ts';

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
 * Makes a {@link PostgresClient} of a pool of `pg`. A call that is given up costs its connection, and its statement is cancelled from another one of the
 * pool. So a network that swallows what connections carry costs each of them one call.
 * Each wait for a connection is a `pool.acquire` operation of the pool `postgres`.
 *
 * Give the pool a `connectionTimeoutMillis`: else callers wait without end for a server that does not answer, long after their deadline.
 */
export function fromPg(
  pool: PgPool,
  { deadlineMs = 5_000, prepare = true, clock = systemClock }: PostgresClientOptions = {},
): PostgresClient {
  const nameOf = prepare ? namesOf() : () => undefined;
  const run = (lease: Lease, { text, values }: Statement): Running => {
    const name = values === undefined ? undefined : nameOf(text);
    const statement = { text, ...(values !== undefined && { values }), ...(name !== undefined && { name }) };
    return {
      rows: lease.connection.query(statement).then(ofLast),
      sent: true,
      cancel: () => void abandon(pool, lease, deadlineMs, clock),
    };
  };
  return createClient(
    {
      run(statement, wait) {
        let running: Running | undefined;
        const rows = leased(pool, wait, (lease) => {
          running = run(lease, statement);
          return running.rows;
        });
        return {
          rows,
          get sent() {
            return running !== undefined;
          },
          cancel: () => running?.cancel(),
        };
      },
      transaction: (work, wait, watch) =>
        leased(pool, wait, (lease) => {
          const send: Send = (text) => watch(run(lease, { text, values: undefined }));
          return transact(lease, wait, send, () => work((statement) => run(lease, statement)));
        }),
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

type Send = (text: string) => Promise<unknown>;

async function transact<T>(lease: Lease, wait: Wait, send: Send, work: () => Promise<T>): Promise<T> {
  await send('begin');
  try {
    const result = await work();
    await send('commit');
    return result;
  } catch (error) {
    // Where it cannot be rolled back, or nobody is left to give that up, the connection must not be used again: its end rolls back as well.
    if (wait.over) lease.end(true);
    else await send('rollback').catch(() => lease.end(true));
    throw error;
  }
}

/** Ends the connection and asks the server to stop what it does there, which it would not notice by itself. */
async function abandon(pool: PgPool, lease: Lease, deadlineMs: number, clock: Clock): Promise<void> {
  const { processID } = lease.connection;
  lease.end(true);
  if (typeof processID !== 'number' || pool.waitingCount > 0) return;
  const statement = { text: 'select pg_cancel_backend($1)', values: [processID] };
  let other: Lease | undefined;
  const cancel = (wait: Wait) =>
    leased(pool, wait, (taken) => {
      other = taken;
      return taken.connection.query(statement);
    });
  const late = () => postgresErrors.DEADLINE({ deadlineMs });
  try {
    await bounded(cancel, { deadlineMs, clock, late, giveUp: () => other?.end(true) });
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
