/** Checks that are made in one turn of the event loop go together: one script, one deadline and one reply for all of them. */
import type { Clock } from '@sage-adk/core';
import type { RedisScript } from '@sage-adk/core/redis';
import type { Answer, Ask, DecideRequest } from '../store.ts';
import { type Reply, toAnswer } from './answers.ts';
import { checkScript } from './lua/checks.ts';
import { hashOf, type KeySpace } from './requests.ts';
import { type RuleSet, RuleSets } from './rule-sets.ts';

type Run = (script: RedisScript, keys: readonly string[], args: string[]) => Promise<unknown>;

/** A check, or nothing else than a look. */
export type CheckRequest = Extract<DecideRequest, { kind: 'consume' | 'peek' }>;

/** The server does nothing else while a script runs, so it must not become long. And while it runs one, this process makes the next. */
const mostChecks = 16;
/** Lua's stack holds some thousand values. */
const mostAsks = 100;

export class Checks {
  readonly #run: Run;
  readonly #space: KeySpace;
  readonly #clock: Clock;
  readonly #sets = new RuleSets();
  #waiting: Waiting[] = [];

  constructor(run: Run, space: KeySpace, clock: Clock) {
    this.#run = run;
    this.#space = space;
    this.#clock = clock;
  }

  /** Resolves with undefined, and nothing has happened, where a check needs more than the script can tell. */
  ask(request: CheckRequest): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      // Not as a microtask: whoever asks in this turn shall have asked.
      if (this.#waiting.length === 0) process.nextTick(() => this.#sendAll());
      this.#waiting.push({ request, resolve, reject });
    });
  }

  #sendAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let first = 0; first < waiting.length; first += mostChecks) {
      void this.#send(waiting.slice(first, first + mostChecks));
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const { keys, args, sets } = this.#pack(batch);
      const replies = (await this.#run(checkScript, keys, args)) as Reply[];
      for (const [n, { request, resolve }] of batch.entries()) resolve(answerOf(request.asks, sets[n], replies[n]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #pack(batch: readonly Waiting[]) {
    const nowMs = this.#clock.now();
    const numbers = new Map<RuleSet, number>();
    const sets: (RuleSet | undefined)[] = [];
    const keys: string[] = [];
    const heads: string[] = [];
    for (const { request } of batch) {
      const { kind, asks } = request;
      const set = this.#sets.of(asks, nowMs);
      sets.push(set);
      if (set === undefined) continue;
      const number = numbers.get(set) ?? numbers.size + 1;
      numbers.set(set, number);
      for (const first of set.firsts) keys.push(hashOf(this.#space, asks[first]));
      heads.push(`${2 * number - Number(kind === 'peek')}`);
      for (const n of set.order) heads.push(`${asks[n]?.cost ?? 0}`);
    }
    const args = ['0', `${numbers.size}`];
    for (const set of numbers.keys()) args.push(...set.args);
    args.push(...heads);
    return { keys, args, sets };
  }
}

interface Waiting {
  readonly request: CheckRequest;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Whether a check is about buckets and windows alone, and so may go with others. */
export function isCheck(request: DecideRequest): request is CheckRequest {
  const { kind, asks } = request;
  if (kind !== 'peek' && (kind !== 'consume' || request.force === true)) return false;
  if (asks.length === 0 || asks.length > mostAsks) return false;
  for (const { rule } of asks) {
    const { strategy } = rule;
    if (strategy.kind !== 'bucket' && strategy.kind !== 'window') return false;
  }
  return true;
}

function answerOf(asks: readonly Ask[], set: RuleSet | undefined, reply: Reply = []): Answer | undefined {
  return set === undefined || reply.length === 0 ? undefined : toAnswer(asks, set.order, reply);
}
