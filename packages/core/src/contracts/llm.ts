/** A model as the agent sees it: one request type, one answer, one stream of events. */
export interface LlmProvider {
  readonly name: string;
  complete(request: LlmRequest, options?: LlmCallOptions): Promise<LlmResponse>;
  /** The last event is a {@link LlmFinish}; a stream without one was cut. */
  stream(request: LlmRequest, options?: LlmCallOptions): AsyncIterable<LlmEvent>;
}

export interface LlmCallOptions {
  readonly signal?: AbortSignal;
}

export interface LlmRequest {
  readonly model: string;
  readonly messages: readonly LlmMessage[];
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly tools?: readonly LlmTool[];
}

export interface LlmMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly toolCalls?: readonly LlmToolCall[];
  /** Of a message of the role tool: the call it answers. */
  readonly toolCallId?: string;
}

export interface LlmTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface LlmToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface LlmResponse extends Omit<LlmFinish, 'type'> {
  readonly text: string;
  readonly toolCalls?: readonly LlmToolCall[];
}

export type LlmEvent = LlmText | { readonly type: 'tool-call'; readonly call: LlmToolCall } | LlmFinish;

export interface LlmText {
  readonly type: 'text';
  readonly text: string;
}

export interface LlmFinish {
  readonly type: 'finish';
  readonly reason: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other';
  readonly usage: Usage;
  /** The model that answered. */
  readonly model: string;
}

/** Tokens of one call. The parts are subsets: cached and cache writes of the input, long cache writes of the cache writes, reasoning of the output. Never add them up. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of the cache writes: those that are kept for an hour, where that has a price of its own. */
  readonly longCacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** What a call costs. */
export interface PricePort {
  /** Billionths of a US dollar; undefined where the price is unknown, never 0 for it. */
  costNanoUsd(call: { readonly provider: string; readonly model: string; readonly usage: Usage }): bigint | undefined;
}
