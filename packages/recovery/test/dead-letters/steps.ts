import { type DeadLetterStore, redrive } from '../../src/dead-letters/index.ts';

export type Phase = 'during' | 'after';

/** The store, with `crash` called in each step of it: when the call has begun, and when it has taken effect. */
export function stepped(store: DeadLetterStore, crash: (step: number, phase: Phase) => void): DeadLetterStore {
  let steps = 0;
  const step = async <T>(call: () => Promise<T>): Promise<T> => {
    const number = steps++;
    const running = call();
    running.catch(() => {});
    crash(number, 'during');
    const result = await running;
    crash(number, 'after');
    return result;
  };
  return {
    ...store,
    put: (letter) => step(() => store.put(letter)),
    claim: (options) => step(() => store.claim(options)),
    ack: (claim) => step(() => store.ack(claim)),
    nack: (claim, options) => step(() => store.nack(claim, options)),
  };
}

/** What is known of each message after all: whether it was promised to be kept, handled, and acknowledged how often. */
export interface Journal {
  /** The dedupe keys that `put` resolved for. */
  readonly kept: string[];
  readonly handled: string[];
  readonly acknowledged: string[];
}

/** Puts two messages and redrives them; the first one's handler fails once. */
export async function work(store: DeadLetterStore, journal: (what: keyof Journal, key: string) => void): Promise<void> {
  for (const dedupeKey of ['a', 'b']) {
    await store.put({ source: 'inbox', dedupeKey, payload: dedupeKey, error: new Error('no') });
    journal('kept', dedupeKey);
  }
  const keys = new Map<string, string>();
  const witnessed: DeadLetterStore = {
    ...store,
    async ack(claim) {
      const done = await store.ack(claim);
      if (done) journal('acknowledged', keys.get(claim.id) ?? '');
      return done;
    },
  };
  await redrive(
    witnessed,
    async ({ id, dedupeKey, redrives }) => {
      keys.set(id, dedupeKey);
      if (dedupeKey === 'a' && redrives === 1) throw new Error('fails once');
      journal('handled', dedupeKey);
    },
    { ratePerSecond: 10_000, leaseMs: 100, retryDelayMs: 0, stopAtFailureRatio: 1 },
  );
}
