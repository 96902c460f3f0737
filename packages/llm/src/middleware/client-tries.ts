/**
 * Tries that the client makes by itself, outside of everything here. They stay one call: the SDKs of OpenAI and Anthropic say how often they tried, and
 * drop the body of a failure unread where they will try again. So a call whose failure was dropped waits for its next try.
 */
import { AsyncResource } from 'node:async_hooks';
import {
  current,
  headerOf,
  type Middleware,
  operate,
  parseRetryAfter,
  systemClock,
  type Timer,
  verdictOf,
} from '@sage-adk/core';
import type { Ending, Progress, Refusal } from '../body/progress.ts';
import { follow as whenAborted, type Follower, unfollow } from '../follow.ts';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { refusalOf } from '../failure.ts';
import type { AnswerFacts } from '../providers/api.ts';
import { renewed } from './retry.ts';

/** How a kind of client tries again. */
export interface ClientHabits<C extends LlmCall> {
  /** Tries before this one that the client tells of; undefined where it makes none or tells nothing. */
  readonly triesBefore: (call: C) => number | undefined;
  /** What the next try of the same call has in common with this one; undefined where that cannot be told. */
  readonly sameAs: (call: C) => string | undefined;
  /** Whether this is the next try of a call that waits for it. */
  readonly isNext: (call: C, waiting: Waiting) => boolean;
  /** Milliseconds until the next try at most, where the provider does not say how long to wait; undefined where so many tries are all. */
  readonly longestWaitMs: (tries: number) => number | undefined;
}

/** A call that failed so far. */
export interface Waiting {
  /** Tries that were made. */
  readonly tries: number;
  readonly waitedMs: number;
  /** What the provider asked for, in milliseconds. */
  readonly toldMs: number | undefined;
}

export interface ClientTriesOptions<C extends LlmCall> extends ClientHabits<C> {
  readonly dependencyOf: (call: LlmCall) => string;
}

export interface ClientTries<C extends LlmCall, R> {
  readonly middleware: Middleware<C, LlmAnswer<R>>;
  /** Goes on with a call that waits for this try; undefined where none does. */
  resume(call: C): Promise<LlmAnswer<R>> | undefined;
}

export function createClientTries<C extends LlmCall, R>(options: ClientTriesOptions<C>): ClientTries<C, R> {
  const room: Room<C, R> = { options, waiting: new Map() };
  return {
    async middleware(call, next) {
      const before = call.outer === undefined ? options.triesBefore(call) : call.outer.attempts;
      if (before === undefined) return next(call);
      const mark = call.report?.mark;
      // A try whose connection failed could not wait; this one then is a call of its own, but not a first try.
      if (mark !== undefined && mark.attempts < before) mark.attempts = before;
      const answer = await attempt(call, next, before, options);
      if (answer.progress.refusal === undefined || call.outer !== undefined) return answer;
      return new Course(room, call, next).follow(answer, before);
    },
    resume(call) {
      if (room.waiting.size === 0 || call.outer !== undefined) return undefined;
      const key = options.sameAs(call);
      if (key === undefined) return undefined;
      return room.waiting
        .get(key)
        ?.find((course) => course.isOfSame(call) && options.isNext(call, course))
        ?.resume(call);
    },
  };
}

/** The name of this step, for layers inside: it counts in place of `retry`, where somebody else tries again. */
export const counting = 'tries';

/** One try, told of as such. */
function attempt<C extends LlmCall, R>(
  call: C,
  next: (call: C) => Promise<LlmAnswer<R>>,
  before: number,
  { dependencyOf }: ClientTriesOptions<C>,
): Promise<LlmAnswer<R>> {
  return operate('retry.attempt', { dependency: dependencyOf(call), attempt: before + 1 }, async (operation) => {
    call.report?.does(counting);
    const answer = await next(call);
    const { refusal } = answer.progress;
    if (refusal !== undefined) operation.settle('error', refusalOf(refusal, call.provider));
    return answer;
  });
}

/** Where calls wait for their next try. */
interface Room<C extends LlmCall, R> {
  readonly options: ClientTriesOptions<C>;
  readonly waiting: Map<string, Course<C, R>[]>;
}

/** A call that failed so far. To the steps around it is an answer that has not ended, as long as another try may come. */
class Course<C extends LlmCall, R> implements Progress, Waiting, Follower {
  readonly #room: Room<C, R>;
  readonly #call: C;
  readonly #next: (call: C) => Promise<LlmAnswer<R>>;
  /** The later tries belong to the operation and the context of the first. */
  readonly #here = new AsyncResource('sage-adk:llm-call');
  #current: Progress | undefined;
  #timer: Timer | undefined;
  #waitsAfter: Ending = { kind: 'cancelled', reason: undefined };
  #listeners: ((ending: Ending) => void)[] = [];
  #waitsSinceMs = 0;
  /** Whose call it is: the same body may be asked for by many. */
  readonly #whose = whose();
  ending: Ending | undefined;
  tries = 0;

  constructor(room: Room<C, R>, call: C, next: (call: C) => Promise<LlmAnswer<R>>) {
    this.#room = room;
    this.#call = call;
    this.#next = next;
  }

  get refusal(): Refusal | undefined {
    return this.#current?.refusal;
  }

  get waitedMs(): number {
    return performance.now() - this.#waitsSinceMs;
  }

  get toldMs(): number | undefined {
    return this.refusal && parseRetryAfter(this.refusal.headers);
  }

  get contents(): number {
    return this.#current?.contents ?? 0;
  }

  get contentBytes(): number {
    return this.#current?.contentBytes ?? 0;
  }

  get firstContentAtMs(): number | undefined {
    return this.#current?.firstContentAtMs;
  }

  facts(): AnswerFacts {
    return this.#current?.facts() ?? {};
  }

  onEnd(listener: (ending: Ending) => void): void {
    if (this.ending === undefined) this.#listeners.push(listener);
    else listener(this.ending);
  }

  isOfSame({ provider }: C): boolean {
    return provider === this.#call.provider && this.#whose === whose();
  }

  /** Its client gave up: no other try comes. */
  aborted(): void {
    this.#leave();
    this.#end(this.#waitsAfter);
  }

  /** The answer of the latest try, for its consumer; to the steps around it goes on until no other follows. */
  follow({ result, progress }: LlmAnswer<R>, before: number): LlmAnswer<R> {
    this.#current = progress;
    this.tries = before + 1;
    progress.onEnd((ending) => {
      const { refusal } = progress;
      if (ending.kind === 'cancelled' && mayFollow(refusal, this.#call.signal)) this.#wait(ending);
      else this.#end(ending);
    });
    return { result, progress: this };
  }

  async resume(call: C): Promise<LlmAnswer<R>> {
    this.#leave();
    const before = this.tries;
    try {
      const { report, maxOutputTokens } = await renewed(this.#call);
      const again = { ...call, ...(report !== undefined && { report }), maxOutputTokens };
      const { options } = this.#room;
      return this.follow(await this.#here.runInAsyncScope(() => attempt(again, this.#next, before, options)), before);
    } catch (error) {
      const isAborted = call.signal?.aborted === true && verdictOf(error).outcome !== 'denied';
      this.#end(isAborted ? { kind: 'cancelled', reason: error, isAborted } : { kind: 'failed', error });
      throw error;
    }
  }

  #wait(ending: Ending): void {
    const { waiting, options } = this.#room;
    const key = options.sameAs(this.#call);
    const longestMs = options.longestWaitMs(this.tries);
    if (key === undefined || longestMs === undefined) return this.#end(ending);
    this.#waitsAfter = ending;
    const { signal, caller } = this.#call;
    caller?.hold();
    if (signal !== undefined) whenAborted(signal, this);
    waiting.set(key, [...(waiting.get(key) ?? []), this]);
    this.#waitsSinceMs = performance.now();
    const waitMs = Math.min(Math.max(this.toldMs ?? 0, longestMs), longestToldMs) + marginMs;
    this.#timer = systemClock.setTimer(() => {
      this.#leave();
      this.#end(ending);
    }, waitMs);
  }

  #leave(): void {
    this.#timer?.cancel();
    const { signal, caller } = this.#call;
    if (signal !== undefined) unfollow(signal, this);
    caller?.leave();
    const key = this.#room.options.sameAs(this.#call) ?? '';
    const { waiting } = this.#room;
    const others = waiting.get(key)?.filter((course) => course !== this) ?? [];
    if (others.length === 0) waiting.delete(key);
    else waiting.set(key, others);
  }

  #end(ending: Ending): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    for (const listener of this.#listeners) listener(ending);
    this.#listeners = [];
  }
}

/** What is the same for all tries of a call, as far as the context tells. */
function whose(): string {
  const { requestId, userId, tenant, principal, sessionId, messageId } = current() ?? {};
  return JSON.stringify([requestId, userId, tenant, principal, sessionId, messageId]);
}

/** SDKs wait a minute at most, if they are told to. */
const longestToldMs = 60_000;
const marginMs = 2_000;

/** As the SDKs decide it. */
function mayFollow(refusal: Refusal | undefined, signal: AbortSignal | undefined): boolean {
  if (refusal === undefined || signal?.aborted === true) return false;
  const advice = headerOf(refusal.headers, 'x-should-retry');
  if (advice === 'true' || advice === 'false') return advice === 'true';
  return [408, 409, 429].includes(refusal.status) || refusal.status >= 500;
}
