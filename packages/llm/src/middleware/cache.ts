/** Answers a call from an earlier one. What goes out is recorded while its consumer reads it, and kept only where it is whole. */
import { type CachePolicy, current, type Middleware, type Usage } from '@sage-adk/core';
import { record } from '../body/recorded.ts';
import type { LlmAnswer } from '../call.ts';
import { endedProgress } from '../body/progress.ts';
import { type FetchCall, fieldOf } from '../request/fetch-call.ts';
import { urlOf } from '../request/url.ts';

/** What a cache is asked for: all that an answer depends on. */
export interface CacheRequest {
  readonly provider: string;
  readonly api: string;
  readonly model: string;
  readonly stream: boolean;
  readonly url: string;
  /** JSON text, as it was sent. */
  readonly body: string;
  /** Fields by which answers to the same body differ, such as `anthropic-beta`; missing where the request has none. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** What a cache keeps: a whole answer, as plain data. */
export interface CachedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON, or the events of a stream. */
  readonly body: string;
  readonly model?: string;
  readonly finishReason?: string;
  readonly usage?: Usage;
}

export type AnswerCache = CachePolicy<CacheRequest, CachedAnswer>;

export function cache(policy: AnswerCache): Middleware<FetchCall, LlmAnswer<Response>> {
  return (call, next) => {
    const { body } = call;
    if (body === undefined) return next(call);
    return new Promise((resolve) => new Asking(call, next, resolve).ask(policy, body.text));
  };
}

type Answer = LlmAnswer<Response>;

/** What a cache had. */
type Found = Awaited<ReturnType<AnswerCache['wrap']>>;

/** One call that a cache is asked for. */
class Asking {
  readonly #call: FetchCall;
  readonly #next: (call: FetchCall) => Promise<Answer>;
  /** Let go of once it was used: the policy waits for the end of an answer, and must not keep alive what nobody reads. */
  #resolve: ((answer: Answer | Promise<Answer>) => void) | undefined;
  /** Whether the call goes on. */
  #isMaking = false;
  /** Whether the cache failed while it did. */
  #isLeft = false;
  /** What came of the call, where that is nothing to keep. */
  #failed: Promise<Answer> | undefined;

  constructor(
    call: FetchCall,
    next: (call: FetchCall) => Promise<Answer>,
    resolve: (answer: Answer | Promise<Answer>) => void,
  ) {
    this.#call = call;
    this.#next = next;
    this.#resolve = resolve;
  }

  ask(policy: AnswerCache, text: string): void {
    const call = this.#call;
    try {
      // What becomes of the recording is the cache's own affair.
      policy
        .wrap(requestOf(call, text), () => this.#make(), optionsOf(call))
        .then(
          (found) => this.#found(found),
          (error: unknown) => this.#missed(error),
        );
    } catch (error) {
      this.#missed(error);
    }
  }

  #make(): Promise<CachedAnswer> {
    return new Promise((resolve, reject) => {
      this.#isMaking = true;
      const made = this.#next(this.#call);
      const failed = (): void => {
        this.#isMaking = false;
        this.#failed = made;
        if (this.#isLeft) this.#answer(made);
        reject(uncacheable);
      };
      made.then(
        (answer) => {
          this.#isMaking = false;
          const { report } = this.#call;
          // An earlier answer was given: this one is for the cache alone.
          const isAlone = this.#resolve === undefined;
          if (isAlone) report?.goesOn(answer.progress);
          if (answer.progress.refusal !== undefined || report?.isClamped === true) {
            if (isAlone) answer.result.body?.cancel().catch(() => {});
            return failed();
          }
          record(answer, resolve, reject);
          if (isAlone) answer.result.arrayBuffer().catch(() => {});
          else this.#answer(answer);
        },
        (error: unknown) => {
          if (this.#resolve === undefined) this.#call.report?.failed(error);
          failed();
        },
      );
    });
  }

  #found(found: Found): void {
    if (this.#resolve === undefined) return;
    // It says so of a call that it never made, or of one that came to nothing.
    if (found.source === 'call') return this.#missed(uncacheable);
    try {
      const result = replayed(found);
      this.#call.report?.free();
      this.#answer({ result, progress: endedProgress() });
    } catch (error) {
      this.#missed(error);
    }
  }

  #missed(error: unknown): void {
    // A call that it made and that goes on is paid for, and answers.
    if (this.#isMaking) this.#isLeft = true;
    else if (this.#resolve !== undefined) this.#answer(this.#instead(error));
  }

  /** A cache that fails must not fail the call. */
  async #instead(error: unknown): Promise<Answer> {
    if (this.#failed !== undefined) return this.#failed;
    if (this.#call.signal?.aborted === true) throw error;
    return this.#next(this.#call);
  }

  #answer(answer: Answer | Promise<Answer>): void {
    this.#resolve?.(answer);
    this.#resolve = undefined;
  }
}

const uncacheable = new Error('Only whole answers are kept.');

function optionsOf({ signal }: FetchCall): { readonly scope?: string; readonly signal?: AbortSignal } {
  const tenant = current()?.tenant;
  const options: { scope?: string; signal?: AbortSignal } = {};
  if (tenant !== undefined) options.scope = tenant;
  if (signal !== undefined) options.signal = signal;
  return options;
}

function requestOf(call: FetchCall, body: string): CacheRequest {
  const { wire, provider, api, model, stream, input } = call;
  const request = { provider, api, model, stream, url: urlOf(input), body };
  const headers = wire.answerHeaders?.flatMap((name): [string, string][] => {
    const value = fieldOf(call, name);
    return value === undefined ? [] : [[name, value]];
  });
  return headers === undefined || headers.length === 0 ? request : { ...request, headers };
}

/** @see RFC 9211 */
function replayed({ value: { status, headers, body }, source }: Found): Response {
  const fields = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  fields.set('cache-status', source === 'stale' ? 'sage-llm; hit; detail=stale' : 'sage-llm; hit');
  return new Response(body, { status, headers: fields });
}
