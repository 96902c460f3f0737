/** The `recovery.dlq` block of a configuration file. */
import { z } from 'zod';
import type { AutomaticRedriveOptions } from './automatic-redrive.ts';
import type { MemoryDeadLetterOptions } from './memory.ts';

export const deadLetterConfig = z
  .strictObject({
    enabled: z.boolean().default(false),
    storage: z.enum(['memory', 'redis', 'postgres']).default('memory'),
    /** Most letters. */
    max_size: z.int().min(1).default(10_000),
    /** Hours that a letter is kept after its last failure. */
    retention_hours: z.number().positive().default(720),
    /** What happens to a new letter when there are that many. */
    when_full: z.enum(['reject-new', 'drop-oldest']).default('reject-new'),
    /** Redrives after which a letter is parked. */
    max_redrives: z.int().min(1).default(5),
    /** Tries what is due again, at the interval. */
    auto_retry: z.boolean().default(false),
    /** Seconds from one redrive to the next, and the wait of a letter after its first failed one. */
    retry_interval: z.number().positive().default(60),
    /** Tries per second of a redrive. */
    retry_rate: z.number().positive().default(10),
  })
  .prefault({});

export type DeadLetterConfig = z.output<typeof deadLetterConfig>;

/** What a configuration says of dead letters. */
export interface ConfiguredDeadLetters {
  readonly storage: DeadLetterConfig['storage'];
  /** For the store of that storage. */
  readonly store: Required<Pick<MemoryDeadLetterOptions, 'maxEntries' | 'retentionMs' | 'maxRedrives' | 'whenFull'>>;
  /** For `startRedrive`; false for none. */
  readonly redrive: false | Required<Pick<AutomaticRedriveOptions, 'intervalMs' | 'retryDelayMs' | 'ratePerSecond'>>;
}

/** Options of a store and of `startRedrive`; false where dead letters are not enabled. */
export function deadLettersFromConfig(config: DeadLetterConfig): ConfiguredDeadLetters | false {
  const intervalMs = config.retry_interval * 1_000;
  return (
    config.enabled && {
      storage: config.storage,
      store: {
        maxEntries: config.max_size,
        retentionMs: Math.max(1, Math.round(config.retention_hours * 3_600_000)),
        maxRedrives: config.max_redrives,
        whenFull: config.when_full,
      },
      redrive: config.auto_retry && { intervalMs, retryDelayMs: intervalMs, ratePerSecond: config.retry_rate },
    }
  );
}
