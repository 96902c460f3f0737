/**
 * The four ratios, from what users saw and what the providers did. Each says what it is a share of:
 *
 * - recovered: of the messages of which a provider spoiled at least one try by a transient fault, those that were answered by a model in the end
 * - fallback: of the messages that another provider than the first was asked for, or that got an answer of no model, those that were answered by a model
 * - dead letters and user-facing errors: of all messages
 *
 * Answers of no model are counted apart, and as nothing else: a default message would make each of these ratios look good.
 */
import type { Seen } from './client.ts';
import { type FaultName, faultNames } from './faults.ts';
import { providers, type Script } from './script.ts';
import { isTransient, type Sky, spoilerOf, type Try } from './sky.ts';

export interface Share {
  readonly of: number;
  readonly count: number;
  readonly ratio: number;
}

export interface Ratios {
  readonly recovered: Share;
  readonly fallback: Share;
  readonly deadLetters: Share;
  readonly userErrors: Share;
  readonly degraded: Share;
}

/** What was done to tries, and what became of the messages that they belong to. */
export interface Toll {
  readonly tries: number;
  readonly messages: number;
  readonly answered: number;
}

export interface Tally {
  readonly ratios: Ratios;
  readonly requests: Readonly<Record<string, number>>;
  readonly answeredBy: Readonly<Record<string, number>>;
  /** Streams that began again before their user. */
  readonly restarted: number;
  readonly byFault: Readonly<Record<string, Toll>>;
  readonly byPhase: Readonly<Record<string, Toll>>;
  /** The first users that saw no right answer. */
  readonly problems: readonly string[];
}

/** @param deadLetters which only the agent knows. */
export function tally(seen: readonly Seen[], { tries }: Sky, script: Script, deadLetters: number): Tally {
  const all = seen.map((one) => ({ ...one, tries: tries.get(one.message) ?? [] }));
  const isAnswered = ({ verdict }: Seen): boolean => verdict === 'answered';
  const isDegraded = ({ verdict }: Seen): boolean => verdict === 'degraded';
  const struck = all.filter((one) => one.tries.some(isTransient));
  const elsewhere = all.filter((one) => isDegraded(one) || one.tries.some(({ provider }) => provider !== providers[0]));
  const errors = all.filter(({ verdict }) => verdict === 'failed' || verdict === 'wrong');
  const answered = all.filter(isAnswered);
  const tollOf = (group: readonly (typeof all)[number][], isOne: (one: Try) => boolean): Toll => ({
    tries: group.reduce((sum, one) => sum + one.tries.filter(isOne).length, 0),
    messages: group.length,
    answered: group.filter(isAnswered).length,
  });
  const tollOfFault = (name: FaultName | 'given_up'): Toll => {
    const isOne = (one: Try): boolean => name === (spoilerOf(one) ?? one.fault);
    return tollOf(
      all.filter((one) => one.tries.some(isOne)),
      isOne,
    );
  };
  return {
    ratios: {
      recovered: share(struck.filter(isAnswered).length, struck.length),
      fallback: share(elsewhere.filter(isAnswered).length, elsewhere.length),
      deadLetters: share(deadLetters, all.length),
      userErrors: share(errors.length, all.length),
      degraded: share(all.filter(isDegraded).length, all.length),
    },
    requests: countBy(
      all.flatMap((one) => one.tries),
      ({ provider }) => provider,
    ),
    answeredBy: countBy([...answered, ...all.filter(isDegraded)], ({ servedBy = 'nobody' }) => servedBy),
    restarted: all.filter(({ shown }) => shown.length > 1).length,
    byFault: Object.fromEntries(
      [...faultNames, 'given_up' as const]
        .map((name) => [name, tollOfFault(name)] as const)
        .filter(([, { tries: n }]) => n > 0),
    ),
    byPhase: Object.fromEntries(
      script.phases.map(({ name }) => [
        name,
        tollOf(
          all.filter(({ message }) => script.phaseOf(message) === name),
          (one) => spoilerOf(one) !== undefined,
        ),
      ]),
    ),
    problems: errors.slice(0, 10).map(({ message, problem }) => `${message}: ${problem}`),
  };
}

function share(count: number, of: number): Share {
  return { of, count, ratio: of === 0 ? 0 : Math.round((count / of) * 1e6) / 1e6 };
}

function countBy<T>(all: readonly T[], keyOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1;
  return counts;
}
