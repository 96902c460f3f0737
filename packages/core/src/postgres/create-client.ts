import { bounded, type Wait } from '../bounded.ts';
import { type Clock, systemClock } from '../clock.ts';
import { requireWhole } from '../errors/options.ts';
import type { CallOptions, PostgresClient, PostgresQueries } from './client.ts';
import { postgresErrors, toPostgresError } from './errors.ts';

export interface PostgresClientOptions {
  /** How long a call may take that names no deadline of its own. @default 5000 */
  readonly deadlineMs?: number;
  /** Whether statements with values are prepared. Set it to false behind a pooler that cannot keep them. @default true */
  readonly prepare?: boolean;
  readonly clock?: Clock;
}

/** What an adapter does. Its errors are the driver's own. */
export interface Driver {
  /** Runs a statement on any connection, and none if `wait` is over before it has one. */
  run(statement: Statement, wait: Wait): Running;
  /**
   * Runs `work` between BEGIN and COMMIT, or ROLLBACK if it throws, on one connection; not at all if `wait` is over before.
   *
   * @param watch is given what runs beside the statements of `work`, so that it is cancelled where the transaction is given up meanwhile.
   */
  transaction<T>(work: (run: (statement: Statement) => Running) => Promise<T>, wait: Wait, watch: Watch): Promise<T>;
}

export type Watch = (running: Running) => Promise<readonly unknown[]>;

export interface Statement {
  readonly text: string;
  /** Undefined for a statement that is sent as it stands. */
  readonly values: unknown[] | undefined;
}

export interface Running {
  readonly rows: PromiseLike<readonly unknown[]>;
  /** Whether it came to a connection, as far as the driver tells. */
  readonly sent: boolean;
  /** Stops the statement if it can. Never throws. */
  cancel(): void;
}

const longestDeadlineMs = 2 ** 31 - 1;

/** The part that all drivers share: deadlines, cancelling, errors and what a failed statement means for its transaction. */
export function createClient(
  driver: Driver,
  {
    deadlineMs: ownDeadlineMs,
    clock = systemClock,
  }: { readonly deadlineMs: number; readonly clock?: Clock | undefined },
): PostgresClient {
  requireWhole('deadlineMs', ownDeadlineMs, 1, longestDeadlineMs);
  const within = <T>(
    call: Call,
    work: (wait: Wait) => Promise<T>,
    { deadlineMs = ownDeadlineMs, signal }: CallOptions = {},
  ) =>
    bounded(work, {
      deadlineMs: requireWhole('deadlineMs', deadlineMs, 1, longestDeadlineMs),
      clock,
      signal,
      late: () => postgresErrors.DEADLINE({ deadlineMs }),
      giveUp: () => call.running?.cancel(),
    });
  return {
    async query<Row>(text: string, values?: readonly unknown[], options?: CallOptions) {
      const call: Call = { running: undefined };
      return within(call, (wait) => rowsOf<Row>(call, driver.run(statementOf(text, values), wait)), options);
    },
    async transaction<T>(work: (queries: PostgresQueries) => Promise<T>, options?: CallOptions) {
      const call: Call = { running: undefined };
      return within(call, (wait) => transact(driver, work, call, wait), options);
    },
  };
}

/** The statement that a call waits for, if it does. */
interface Call {
  running: Running | undefined;
}

async function transact<T>(
  driver: Driver,
  work: (queries: PostgresQueries) => Promise<T>,
  call: Call,
  wait: Wait,
): Promise<T> {
  let thrown: { readonly error: unknown } | undefined;
  try {
    return await driver.transaction(
      async (run) => {
        const queries: PostgresQueries = {
          async query<Row>(text: string, values?: readonly unknown[]) {
            if (wait.over) throw postgresErrors.UNAVAILABLE({ reason: 'the transaction is over' });
            // The server would refuse it, if it is there at all.
            if (thrown !== undefined) throw thrown.error;
            try {
              return await rowsOf<Row>(call, run(statementOf(text, values)));
            } catch (error) {
              thrown ??= { error };
              throw error;
            }
          },
        };
        const result = await work(queries).catch((error: unknown) => {
          thrown = { error };
          throw error;
        });
        // The server has given up the transaction at the failed statement, whatever `work` made of it.
        if (thrown !== undefined) throw thrown.error;
        return result;
      },
      wait,
      (running) => rowsOf(call, running),
    );
  } catch (error) {
    throw error === thrown?.error ? error : toPostgresError(error);
  }
}

async function rowsOf<Row>(call: Call, running: Running): Promise<readonly Row[]> {
  call.running = running;
  try {
    return (await running.rows) as readonly Row[];
  } catch (error) {
    throw toPostgresError(error, running.sent);
  } finally {
    if (call.running === running) call.running = undefined;
  }
}

function statementOf(text: string, values: readonly unknown[] | undefined): Statement {
  return { text, values: values === undefined || values.length === 0 ? undefined : [...values] };
}
