/** What is needed of the AI SDK, by shape: language models of its specifications V3 and V4 fit. */

/** A language model, as its middleware sees it. */
export interface AiModel<P, G, S> {
  readonly provider: string;
  readonly modelId: string;
  doGenerate(params: P): PromiseLike<G>;
  doStream(params: P): PromiseLike<S>;
}

/** What a model is asked. */
export interface AiParams {
  readonly prompt: unknown;
  readonly tools?: unknown;
  readonly responseFormat?: unknown;
  readonly maxOutputTokens?: number | undefined;
  /** Of V4: how much the model is to think, in a word. */
  readonly reasoning?: string | undefined;
  readonly providerOptions?: unknown;
  readonly abortSignal?: AbortSignal | undefined;
}

/** An answer in one piece. */
export interface AiGenerated {
  readonly content: readonly unknown[];
  readonly finishReason: unknown;
  readonly usage: unknown;
  readonly response?: { readonly modelId?: string | undefined } | undefined;
}

/** An answer that streams. */
export interface AiStreamed<Part extends AiPart = AiPart> {
  readonly stream: ReadableStream<Part>;
}

export interface AiPart {
  readonly type: string;
}

/** What is changed of a request where a step wants it so. */
export interface AiChanges {
  readonly maxOutputTokens?: number;
  readonly abortSignal?: AbortSignal;
}
