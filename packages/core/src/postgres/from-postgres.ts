import type { Wait } from '../bounded.ts';
import type { PostgresClient } from './client.ts';
import { createClient, type PostgresClientOptions, type Running, type Statement } from './create-client.ts';

/** What is needed of `postgres` (postgres.js): the `sql` that it returns. */
export interface PostgresJs extends PostgresJsQueries {
  begin(work: (sql: PostgresJsQueries) => Promise<unknown>): Promise<unknown>;
}

export interface PostgresJsQueries {
  unsafe(text: string, values?: unknown[], options?: { prepare?: boolean; onexecute?: () => boolean }): PostgresJsQuery;
}

export interface PostgresJsQuery extends PromiseLike<readonly unknown[]> {
  /** Set once the statement is on a connection. */
  readonly state?: unknown;
  /** Whether the connection works on it, and not on one that was sent before. */
  readonly active?: boolean;
  /** What `cancel` calls, once. */
  canceller?: ((query: never) => unknown) | null;
  cancel(): unknown;
  cancelled?: unknown;
  strings?: readonly string[];
  args?: readonly unknown[];
  options?: object;
}

/**
 * Makes a {@link PostgresClient} of postgres.js.
 *
 * A statement that is given up is cancelled, which in rare cases hits the next one on its connection; that ends as `SAGE_POSTGRES_UNAVAILABLE`.
 *
 * Give it an `sql` of its own. postgres.js sends statements of others behind those that a connection works on, and one of ours that is sent so cannot be
 * taken back: where it is given up it is carried out all the same, later. Nothing is sent behind one of ours.
 *
 * Where a socket breaks under a write, postgres.js 3.4.9 may not be able to use that connection again (porsager/postgres issue 1208), and where a network
 * swallows what a connection carries it is lost until TCP gives it up: its calls end at their deadlines. With `pg` it costs one call.
 *
 * Give it `fetch_types: false`: else it looks up array types on each new connection with a promise that nobody holds, and a server that dies meanwhile
 * ends the process with an unhandled rejection. Nothing here needs them.
 *
 * @example
 * ```ts
 * const client = fromPostgres(postgres(url, { fetch_types: false }), { deadlineMs: 1_000 });
 * const [row] = await client.query<{ one: number }>('select $1::int as one', [1]);
 * ```
 */
export function fromPostgres(
  sql: PostgresJs,
  { deadlineMs = 5_000, prepare = true, clock }: PostgresClientOptions = {},
): PostgresClient {
  const run = (on: PostgresJsQueries, { text, values }: Statement): Running => {
    const query =
      values === undefined ? on.unsafe(text, [], { onexecute }) : on.unsafe(text, values, { onexecute, prepare });
    return {
      rows: query.then(ofLast),
      get sent() {
        return query.state !== undefined && query.state !== null;
      },
      cancel() {
        // Of a statement that waits behind somebody else's on its connection, postgres.js 3.4.9 takes the answer for that of the next statement.
        if (this.sent && query.active === false) return;
        cancelQuietly(query);
        if (!this.sent) doNothing(query);
      },
    };
  };
  return createClient(
    {
      run: (statement) => run(sql, statement),
      transaction: (work, wait) => {
        return begin(sql, wait, (scope) => work((statement) => run(scope, statement)));
      },
    },
    { deadlineMs, clock },
  );
}

/** What postgres.js 3.4.9 asks whether a connection that was given a statement takes another one behind it. */
const onexecute = () => false;

/** `query.cancel` of postgres.js 3.4.9 drops the promise of its canceller, which rejects where the connection for it breaks, and ends the process. */
function cancelQuietly(query: PostgresJsQuery): void {
  const { canceller } = query;
  if (typeof canceller === 'function') {
    query.canceller = (cancelled) => void Promise.resolve(canceller(cancelled)).catch(() => {});
  }
  query.cancel();
}

/**
 * A connection that was being opened for a statement which is cancelled meanwhile is lost to postgres.js 3.4.9: it waits for ever for something to do. So the
 * statement becomes one that does nothing; nobody waits for it, and behind it the connection is one of the pool.
 */
function doNothing(query: PostgresJsQuery): void {
  Object.assign(query, { cancelled: null, strings: ['select 1'], args: [], options: { simple: true, prepare: false } });
}

/**
 * `sql.begin`, but for one thing: where the connection is lost it ends the transaction and yet sends a ROLLBACK or COMMIT on that connection when the
 * work ends, which breaks the process or the connection's next start. So the end of the work is kept from it then.
 */
async function begin<T>(sql: PostgresJs, wait: Wait, work: (scope: PostgresJsQueries) => Promise<T>): Promise<T> {
  let over = false;
  const begun = sql.begin(async (scope) => {
    if (wait.over) throw new Error('nobody waits for the transaction any more');
    try {
      const value = await work(scope);
      // In an object: postgres.js would wait for the members of an array.
      return over ? await never() : { value };
    } catch (error) {
      // A statement fails a moment before the loss of its connection is known.
      await new Promise((resolve) => setImmediate(resolve));
      if (over) await never();
      throw error;
    }
  });
  try {
    return ((await begun) as { readonly value: T }).value;
  } finally {
    over = true;
  }
}

const never = (): Promise<never> => new Promise(() => {});

/** Several statements have one list of rows each. */
function ofLast(rows: readonly unknown[]): readonly unknown[] {
  const last = rows.at(-1);
  return Array.isArray(last) ? (last as readonly unknown[]) : rows;
}
