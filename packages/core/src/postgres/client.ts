/**
 * PostgreSQL as the packages of this project use it. `fromPostgres` and `fromPg` make one of a client that somebody else opens and closes.
 *
 * Where the two drivers differ, be explicit in the SQL: pass JSON as text and cast it (`$1::text::jsonb`), and read `bigint` and `numeric` as strings.
 */
export interface PostgresClient {
  /**
   * Runs one statement and returns its rows. With `values` it is prepared once per connection; without, `text` may hold several statements and the rows
   * are those of the last.
   *
   * Rejects with `SAGE_POSTGRES_DEADLINE`, `_UNAVAILABLE` and `_CONFLICT` where another try may help, `_QUERY_FAILED` where it may not, and the signal's
   * reason. Where the connection broke under the statement, so that it may have taken effect, `details.sent` is true. A statement that is given up is
   * cancelled on the server as well, as far as that can be reached.
   */
  query<Row = PostgresRow>(text: string, values?: readonly unknown[], options?: CallOptions): Promise<readonly Row[]>;
  /**
   * Runs `work` in a transaction and commits. Where `work` or one of its statements fails it is rolled back, also if `work` caught that; the error is then
   * the statement's, or `work`'s own as it was thrown. The deadline is that of the whole; when it has passed, no further statement is run.
   */
  transaction<T>(work: (queries: PostgresQueries) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** The inside of a transaction: one statement after the other, all on one connection. */
export interface PostgresQueries {
  query<Row = PostgresRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export type PostgresRow = Readonly<Record<string, unknown>>;

export interface CallOptions {
  /** How long the call may take, the wait for a connection included. @default that of the client */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Writes a name of a schema, table or column so that it stands for itself in SQL, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
