/** Tables that are made as soon as their server can be used. */
import { type PostgresClient, postgresErrors } from '@sage-adk/core/postgres';

export interface MigratedPostgres {
  /** Until the tables are there each call has another try begun, and rejects with `SAGE_POSTGRES_UNAVAILABLE` at once: nobody waits for what may take long. */
  readonly client: PostgresClient;
  /** Makes the tables now. Rejects as `make` does; then the next call tries again. */
  readonly migrate: () => Promise<void>;
}

/** @param make makes what is missing. Never called twice at a time, and not again once it resolved. */
export function migrateFirst(
  client: PostgresClient,
  make: (client: PostgresClient) => Promise<unknown>,
): MigratedPostgres {
  let made = false;
  let making: Promise<void> | undefined;
  let reason = 'its tables are not made yet';
  const once = async (): Promise<void> => {
    try {
      await make(client);
      made = true;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      making = undefined;
    }
  };
  const migrate = (): Promise<void> => (making ??= once());
  const refuse = (): Promise<never> => {
    migrate().catch(() => {});
    return Promise.reject(postgresErrors.UNAVAILABLE({ reason }));
  };
  return {
    migrate,
    client: {
      query: (text, values, options) => (made ? client.query(text, values, options) : refuse()),
      transaction: (work, options) => (made ? client.transaction(work, options) : refuse()),
    },
  };
}
