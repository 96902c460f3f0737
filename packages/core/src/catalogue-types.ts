/**
 * The operations and events of this project, with what each says when it starts (known, bounded) and when it ends (learned through `set`).
 *
 * Add your own by module augmentation; they get duration and outcome, and no attribute labels.
 *
 * @example
 * ```ts
 * declare module '@sage-adk/core' {
 *   interface Operations {
 *     'billing.charge': { start: { plan: string }; end: { invoice: string } };
 *   }
 * }
 * ```
 */
export interface Operations {
  /** One request to the agent, from its arrival to the last byte of the answer. */
  'agent.request': {
    start: { protocol: 'a2a' | 'sage' | 'mcp' | 'http'; method: string; stream: boolean };
    end: { status: number; llmMs: number };
  };
  /** One named step around a call. */
  'agent.middleware': { start: { middleware: string }; end: { beforeMs: number; afterMs: number } };
  /** One logical call of a model; its tries are `retry.attempt` inside it. */
  'llm.call': {
    start: { provider: string; model: string; api: string; stream: boolean };
    end: {
      responseModel: string;
      finishReason: string;
      inputTokens: number;
      outputTokens: number;
      cachedInputTokens: number;
      cacheWriteTokens: number;
      /** Part of `cacheWriteTokens`. */
      longCacheWriteTokens: number;
      reasoningTokens: number;
      /** Billionths of a US dollar. Missing where the price is unknown. */
      costNanoUsd: bigint;
      firstTokenMs: number;
      attempts: number;
    };
  };
  // What was asked is for log lines: keys are neither labels nor on spans.
  'storage.get': { start: StorageStart; end: { key: string; hit: boolean } };
  /** `conditional`: only over a version that was read before. */
  'storage.set': { start: StorageStart; end: { key: string; ttlMs: number; conditional: boolean; written: boolean } };
  'storage.delete': { start: StorageStart; end: { key: string; deleted: boolean } };
  'storage.list': { start: StorageStart; end: { prefix: string; limit: number; count: number } };
  /** A look-up in a second tier; a hit in memory is too fast for an operation. */
  'cache.get': { start: { cache: string; tier: string }; end: { hit: boolean; stale: boolean } };
  'protocol.handshake': { start: { protocol: string; role: 'initiator' | 'responder' }; end: { stage: string } };
  'protocol.sign': { start: { algorithm: string }; end: { bytes: number } };
  'protocol.verify': { start: { algorithm: string }; end: { bytes: number } };
  'did.resolve': { start: { method: string }; end: { cached: boolean } };
  'a2a.send': {
    start: { method: string; stream: boolean };
    end: { status: number; taskState: string; messageId: string; taskId: string };
  };
  'a2a.receive': {
    start: { method: string; stream: boolean };
    end: { status: number; taskState: string; messageId: string; taskId: string };
  };
  'mcp.call': { start: { method: string; role: 'client' | 'server' }; end: { tool: string; errorCode: number } };
  'tool.call': { start: { tool: string }; end: { callId: string } };
  /** A decision of a shared limiter store. */
  'limiter.check': {
    start: { store: string; rules: number };
    end: { allowed: boolean; rule: string; degraded: boolean };
  };
  /** One try of something that may be tried again; `attempt` counts from 1. */
  'retry.attempt': { start: { dependency: string; attempt: number }; end: { reason: string; delayMs: number } };
  'fallback.step': {
    start: { chain: string; target: string; tier: string };
    end: { reason: string; degraded: boolean };
  };
  'queue.wait': { start: { queue: string }; end: { depth: number; priority: number } };
  'pool.acquire': { start: { pool: string }; end: { waiting: number } };
  'dlq.put': { start: { store: string; queue: string }; end: { duplicate: boolean } };
  'dlq.replay': {
    start: { store: string; queue: string };
    end: {
      attempt: number;
      /** The `traceparent` of the request that failed: tracing links to it. */
      origin: string;
    };
  };
  'health.check': { start: { check: string; critical: boolean }; end: { status: 'pass' | 'warn' | 'fail' } };
}

interface StorageStart {
  store: string;
  namespace: string;
}

/** Points in time that observers may want to know of. */
export interface Events {
  'agent.state': { from: string; to: string };
  'breaker.changed': { dependency: string; from: string; to: string; reason: string };
  /** A limit said no, or would have in shadow mode. */
  'limiter.denied': { rule: string; unit: string; scope: string; mode: 'enforce' | 'shadow'; retryAfterMs: number };
  'budget.exhausted': { rule: string; period: string; handling: string };
  'timeout.fired': { operation: string; timeoutMs: number };
  'fallback.used': { chain: string; from: string; to: string; reason: string };
  /** Somebody must look: a provider is down, storage is corrupt, security was violated. */
  'error.critical': { source: string; reason: string; message: string };
  'security.violation': { kind: string; reason: string };
  'config.changed': { keys: readonly string[] };
  'lease.expired': { rule: string; held: number };
}

export type OperationName = Extract<keyof Operations, string>;
export type EventName = Extract<keyof Events, string>;

/** What an operation says when it starts. */
// Conditional, not indexed: an augmentation that forgets a member must not break core's own declarations.
export type StartOf<N extends OperationName> = Operations[N] extends { start: infer S }
  ? Readonly<S>
  : Readonly<Record<string, never>>;
/** What an operation may learn until it ends. */
export type EndOf<N extends OperationName> = Operations[N] extends { end: infer E }
  ? Readonly<Partial<E>>
  : Readonly<Record<string, never>>;
