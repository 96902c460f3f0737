import { createHash } from 'node:crypto';
import { type Clock, type LimitSubject, type LlmMessage, systemClock } from '@sage-adk/core';

/** Answers that were given, for when no model answers. Nobody gets those of somebody else. */
export interface EarlierAnswers {
  keep(turns: readonly LlmMessage[], subject: LimitSubject, text: string): void;
  /** The answer to the same conversation of the same user. */
  find(turns: readonly LlmMessage[], subject: LimitSubject): string | undefined;
}

export interface EarlierAnswersOptions {
  /** Most answers; the oldest goes first. @default 1_000 */
  readonly size?: number;
  /** Milliseconds that an answer is kept. @default an hour */
  readonly keepMs?: number;
  /** Longer answers are not kept, in letters. @default 20_000 */
  readonly longest?: number;
  readonly clock?: Clock;
}

export function createEarlierAnswers({
  size = 1_000,
  keepMs = 3_600_000,
  longest = 20_000,
  clock = systemClock,
}: EarlierAnswersOptions = {}): EarlierAnswers {
  const answers = new Map<string, { readonly text: string; readonly untilMs: number }>();
  return {
    keep(turns, subject, text) {
      if (text === '' || text.length > longest) return;
      const key = keyOf(turns, subject);
      answers.delete(key);
      answers.set(key, { text, untilMs: clock.monotonicMs() + keepMs });
      const [oldest] = answers.keys();
      if (answers.size > size && oldest !== undefined) answers.delete(oldest);
    },
    find(turns, subject) {
      const found = answers.get(keyOf(turns, subject));
      return found !== undefined && clock.monotonicMs() < found.untilMs ? found.text : undefined;
    },
  };
}

function keyOf(turns: readonly LlmMessage[], { tenant, user, principal }: LimitSubject): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, user, principal, turns]))
    .digest('base64url');
}
