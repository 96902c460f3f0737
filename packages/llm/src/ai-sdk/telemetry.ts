import { operate, type PricePort } from '@sage-adk/core';
import { type AiClientOptions, createAiBoundary } from './ai-call.ts';
import type { AiGenerated, AiStreamed } from './shapes.ts';

export interface AiSdkTelemetryOptions extends AiClientOptions {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort;
  /** The name to report and price by. @default told by the provider of the model */
  readonly provider?: string;
}

/** What `registerTelemetry` of the AI SDK 7 takes. */
export interface AiSdkTelemetry {
  onStart(event: object): void;
  executeLanguageModelCall<T>(options: LanguageModelCall<T>): Promise<T>;
  executeTool<T>(options: ToolExecution<T>): Promise<T>;
}

export interface LanguageModelCall<T> {
  /** The same for all tries and steps of what the SDK was asked. */
  readonly callId: string;
  readonly provider?: string;
  readonly modelId?: string;
  readonly instructions?: unknown;
  readonly messages?: unknown;
  readonly tools?: unknown;
  readonly maxOutputTokens?: number | undefined;
  readonly execute: () => PromiseLike<T>;
}

export interface ToolExecution<T> {
  readonly toolCallId: string;
  readonly toolCall?: { readonly toolName?: string };
  readonly execute: () => PromiseLike<T>;
}

/**
 * Tells observers of each call of a model (`llm.call`) that `generateText` and `streamText` of the AI SDK 7 make, whichever model they use, and of each tool
 * (`tool.call`). Of `generateObject` and `streamObject` it tells nothing, since the SDK does not hand over their calls, nor say that such a stream was left: there
 * it is the middleware or `wrapFetch`. It changes nothing of them; limits, retries and the like are of `createAiSdkMiddleware` or `wrapFetch`, within which a call still counts once.
 *
 * @example
 * ```ts
 * registerTelemetry(createAiSdkTelemetry({ price }));
 * ```
 */
export function createAiSdkTelemetry({
  price,
  provider: named,
  ...client
}: AiSdkTelemetryOptions = {}): AiSdkTelemetry {
  const call = createAiBoundary(
    { ...(price !== undefined && { price }), ...(named !== undefined && { provider: named }) },
    client,
  );
  const streaming = new RecentIds();
  return {
    onStart(event) {
      const { callId, operationId } = event as { callId?: unknown; operationId?: unknown };
      if (typeof callId === 'string' && /stream/i.test(String(operationId))) streaming.add(callId);
    },
    async executeLanguageModelCall<T>({ execute, ...event }: LanguageModelCall<T>) {
      const { callId, provider = 'unknown', modelId = 'unknown', instructions, messages, tools } = event;
      return call({
        model: { provider, modelId },
        params: { prompt: { instructions, messages }, tools, maxOutputTokens: event.maxOutputTokens },
        stream: streaming.has(callId),
        callId,
        // Whatever the SDK awaits here is an answer of a model.
        ask: execute as () => PromiseLike<T & (AiGenerated | AiStreamed)>,
      });
    },
    executeTool: ({ toolCall, toolCallId, execute }) =>
      operate('tool.call', { tool: toolCall?.toolName ?? 'unknown' }, async (operation) => {
        operation.set({ callId: toolCallId });
        return execute();
      }),
  };
}

/** Ids of which the SDK does not always say that they are over: the oldest are forgotten. */
class RecentIds {
  readonly #ids = new Set<string>();

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= mostIds) return;
    const [oldest] = this.#ids;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }
}

const mostIds = 10_000;
