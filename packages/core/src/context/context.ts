import type { EndOf } from '../catalogue-types.ts';
import { type Clock, systemClock } from '../clock.ts';
import { shared } from '../shared.ts';

/** What belongs to the request that is being handled. It flows through awaits, timers and streams by itself. */
export interface Context {
  readonly requestId?: string;
  readonly agentId?: string;
  readonly messageId?: string;
  /** The conversation; A2A calls it the context id. */
  readonly sessionId?: string;
  /** Who is served, from {@link Context.principal}; never from a message's own metadata. */
  readonly userId?: string;
  readonly tenant?: string;
  readonly protocol?: 'a2a' | 'sage' | 'mcp' | 'http';
  /** Who was verified. Limits and bills go by it. */
  readonly principal?: Principal;
  /** When the answer is no longer wanted, on the monotonic clock. See {@link remainingMs}. */
  readonly deadlineMs?: number;
  /** Aborts when the caller gave up. */
  readonly signal?: AbortSignal;
  /** Fields that came with the request and that an observer asked to keep, such as `traceparent`. */
  readonly carrier?: Readonly<Record<string, string>>;
  /** The call of a model that is being made around here. Set by its outermost layer. */
  readonly llmCall?: LlmCallMark;
}

/**
 * One logical call of a model, as the layers inside it see it: an adapter, a fetch wrapper, an SDK that tries again. The outermost layer reports it as
 * `llm.call`; those inside only tell what they learn, so that one call counts once.
 */
export interface LlmCallMark {
  /** False once it ended: a call made afterwards is one of its own. */
  readonly open: boolean;
  /** What a layer around does already, such as `reserve` or `retry`: each is done once, by the outermost layer that has it. */
  readonly steps: ReadonlySet<string>;
  /** Tries so far; whoever makes one counts it. */
  attempts: number;
  /** Tries that came to nothing, but that the provider may bill all the same; whoever sees one counts it. Missing where nobody pays. */
  lost?: number | undefined;
  /**
   * Asked before another try is made: those that came to nothing may have used up what was reserved. Resolves with the most output tokens of the next try.
   * Missing where nothing was reserved.
   */
  renew?: (() => Promise<number | undefined>) | undefined;
  /** Adds what an answer told. The latest value of a member counts. */
  learn(facts: EndOf<'llm.call'>): void;
}

/** An identity and how it was established. */
export interface Principal {
  readonly kind: 'api_key' | 'jwt' | 'oauth2' | 'did' | 'mtls' | 'address';
  readonly id: string;
}

/** The context of the running request; undefined outside of one. */
export function current(): Context | undefined {
  return shared.context.getStore();
}

/**
 * Calls `call` with `fields` added to the current context. A nested deadline can only come earlier, never later.
 */
export function run<T>(fields: Context, call: () => T): T {
  const outer = shared.context.getStore();
  if (outer === undefined) return shared.context.run(fields, call);
  const context = { ...outer, ...fields };
  if (outer.deadlineMs === undefined || (fields.deadlineMs ?? Number.NaN) < outer.deadlineMs) {
    return shared.context.run(context, call);
  }
  // One that is missing, or no number, lifts none.
  return shared.context.run({ ...context, deadlineMs: outer.deadlineMs }, call);
}

/** Milliseconds until the current deadline, 0 when it has passed, Infinity without one. */
export function remainingMs(clock: Clock = systemClock): number {
  const deadlineMs = shared.context.getStore()?.deadlineMs;
  return deadlineMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, deadlineMs - clock.monotonicMs());
}
