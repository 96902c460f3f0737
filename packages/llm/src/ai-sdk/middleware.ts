import { type AiClientOptions, type AiPolicies, createAiBoundary } from './ai-call.ts';
import type { AiChanges, AiGenerated, AiModel, AiParams, AiStreamed } from './shapes.ts';

/** A middleware for language models of the AI SDK: of its specification V4 (AI SDK 7) or V3 (AI SDK 6). */
export interface AiSdkMiddleware<V extends 'v3' | 'v4' = 'v4'> {
  readonly specificationVersion: V;
  wrapGenerate<P extends AiParams, G extends AiGenerated, S>(options: WrapOptions<P, G, S>): Promise<G>;
  wrapStream<P extends AiParams, G, S extends AiStreamed>(options: WrapOptions<P, G, S>): Promise<S>;
}

/** What the SDK hands to a middleware. */
export interface WrapOptions<P, G, S> {
  readonly doGenerate: () => PromiseLike<G>;
  readonly doStream: () => PromiseLike<S>;
  readonly params: P;
  readonly model: AiModel<P, G, S>;
}

export interface AiSdkOptions<V extends 'v3' | 'v4'> extends AiClientOptions {
  /** The specification that the SDK speaks. @default 'v4' */
  readonly specificationVersion?: V;
}

/**
 * Puts the policies around each call of a language model of the AI SDK, whichever provider it is of: as `wrapFetch` does, in the same order.
 *
 * Each call is one `llm.call`, and the tries that the SDK makes by itself are tries of it: where it is told how many (`maxRetries`), tell the middleware as
 * well. With a `retry` policy, the SDK makes none. A denial is thrown as the error it is, and not tried again. Where the provider's `fetch` is wrapped as well, a call counts once.
 *
 * @example
 * ```ts
 * const model = wrapLanguageModel({ model: openai('gpt-4.1'), middleware: createAiSdkMiddleware({ limiter, price }) });
 * ```
 */
export function createAiSdkMiddleware<V extends 'v3' | 'v4' = 'v4'>(
  policies: AiPolicies = {},
  { specificationVersion = 'v4' as V, ...client }: AiSdkOptions<V> = {},
): AiSdkMiddleware<V> {
  const call = createAiBoundary(policies, client);
  return {
    specificationVersion,
    wrapGenerate: ({ doGenerate, params, model }) =>
      call({
        model,
        params,
        stream: false,
        ask: (changes) => (isEmpty(changes) ? doGenerate() : model.doGenerate({ ...params, ...changes })),
      }),
    wrapStream: ({ doStream, params, model }) =>
      call({
        model,
        params,
        stream: true,
        ask: (changes) => (isEmpty(changes) ? doStream() : model.doStream({ ...params, ...changes })),
      }),
  };
}

function isEmpty({ maxOutputTokens, abortSignal }: AiChanges): boolean {
  return maxOutputTokens === undefined && abortSignal === undefined;
}
