import type { Decision } from '../../../src/index.ts';
import type { HttpReservation, HttpRefusal } from '../../../src/http/gate.ts';
import { decisionOf, state } from './decisions.ts';

/** A limiter of concurrency that counts what is held, and how each hold ended. */
export interface Slots {
  reserve(): Promise<HttpReservation | HttpRefusal>;
  readonly held: number;
  readonly ends: readonly string[];
  /** Resolves when something was held for the first time. */
  readonly reserved: Promise<void>;
  /** Resolves when nothing is held any more. */
  free(): Promise<void>;
}

export function createSlots(limit: number, before: () => Promise<void> = async () => {}): Slots {
  let held = 0;
  const ends: string[] = [];
  const waiting: (() => void)[] = [];
  const reserved = Promise.withResolvers<void>();
  const end = (how: string): void => {
    ends.push(how);
    if (--held === 0) waiting.splice(0).forEach((tell) => tell());
  };
  return {
    async reserve() {
      await before();
      if (held >= limit) return { allowed: false, decision: decision(limit, held, false) };
      held++;
      reserved.resolve();
      let open = true;
      const once = (how: string) => async (actual?: object) => {
        if (open) end(actual === undefined ? how : `${how} ${JSON.stringify(actual)}`);
        open = false;
      };
      return {
        allowed: true,
        decision: decision(limit, held, true),
        settle: once('settled'),
        cancel: once('cancelled'),
      };
    },
    get held() {
      return held;
    },
    ends,
    reserved: reserved.promise,
    free: () => (held === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  };
}

function decision(limit: number, held: number, allowed: boolean): Decision {
  return decisionOf(
    state({ rule: 'concurrent', limit, remaining: limit - held, allowed, retryAfterMs: allowed ? 0 : 1_000 }),
  );
}
