/** The real clients, each behind the same two calls, so that one table of tests drives them all. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk';
import { type GenerateContentParameters, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import type { Usage } from '@sage-adk/core';
import { generateText, jsonSchema, type LanguageModel, streamText, tool, type ToolSet, wrapLanguageModel } from 'ai';
import OpenAI from 'openai';

export interface Asked {
  readonly maxOutputTokens?: number;
  readonly signal?: AbortSignal;
}

/** What a client made of an answer. */
export interface Heard {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly finish: string | undefined;
  readonly usage: Partial<Usage> | undefined;
}

export interface Client {
  readonly name: string;
  readonly provider: 'openai' | 'anthropic' | 'gemini';
  complete(asked?: Asked): Promise<Heard>;
  /** `onText` gets each piece as it comes, also of a stream that breaks later. */
  stream(asked?: Asked, onText?: (text: string) => void): Promise<Heard>;
}

export const prompt = 'What time is it in Seoul?';
const parameters = { type: 'object', properties: { city: { type: 'string' } } } as const;

// One warns that it does not know the model.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** What stands between the clients and the provider. */
export interface Between {
  readonly fetch?: typeof fetch;
  readonly anthropic?: AnthropicMiddleware;
  readonly ai?: AiMiddleware | readonly AiMiddleware[];
}

type AnthropicMiddleware = NonNullable<ClientOptions['middleware']>[number];
type AiMiddleware = Exclude<Parameters<typeof wrapLanguageModel>[0]['middleware'], readonly unknown[]>;

/** One of each; none tries again by itself unless `maxRetries` says so. */
export function clientsOf(url: string, maxRetries = 0, between: Between = {}): readonly Client[] {
  return [...sdkClientsOf(url, maxRetries, between), ...aiClientsOf(url, maxRetries, between)];
}

/** The SDKs of the providers. */
export function sdkClientsOf(url: string, maxRetries = 0, between: Between = {}): readonly Client[] {
  const own = between.fetch !== undefined && { fetch: between.fetch };
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries, logLevel: 'off', ...own });
  return [
    openaiChat(openai),
    openaiResponses(openai),
    anthropicMessages(anthropicClient(url, maxRetries, between)),
    geminiGenerate(geminiClient(url, between)),
  ];
}

export function anthropicClient(url: string, maxRetries = 0, { fetch: own, anthropic }: Between = {}): Anthropic {
  return new Anthropic({
    baseURL: url,
    apiKey: 'any',
    maxRetries,
    logLevel: 'off',
    ...(own !== undefined && { fetch: own }),
    ...(anthropic !== undefined && { middleware: [anthropic] }),
  });
}

/** With a fetch of its own: without, it asks for undici's global dispatcher, which the sandbox of a test does not have. */
export function geminiClient(url: string, { fetch: own = fetch }: Between = {}): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: url, fetch: own } });
}

/** The AI SDK over each of its providers. */
export function aiClientsOf(url: string, maxRetries = 0, { fetch: own, ai = [] }: Between = {}): readonly Client[] {
  const options = { apiKey: 'any', ...(own !== undefined && { fetch: own }) };
  const openai = createOpenAI({ baseURL: `${url}/v1`, ...options });
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, ...options });
  const google = createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, ...options });
  const wrapped = (model: ReturnType<typeof openai.chat>) => wrapLanguageModel({ model, middleware: [ai].flat() });
  return [
    aiSdk('ai: OpenAI chat', 'openai', wrapped(openai.chat('gpt-4.1')), maxRetries),
    aiSdk('ai: OpenAI responses', 'openai', wrapped(openai.responses('gpt-4.1')), maxRetries),
    aiSdk('ai: Anthropic', 'anthropic', wrapped(anthropic('claude-next')), maxRetries),
    aiSdk('ai: Google', 'gemini', wrapped(google('gemini-2.5-flash')), maxRetries),
  ];
}

export function openaiChat(client: OpenAI): Client {
  const body = ({ maxOutputTokens }: Asked) => ({
    model: 'gpt-4.1',
    messages: [{ role: 'user' as const, content: prompt }],
    tools: [{ type: 'function' as const, function: { name: 'clock', parameters } }],
    ...(maxOutputTokens !== undefined && { max_completion_tokens: maxOutputTokens }),
  });
  return {
    name: 'openai: chat',
    provider: 'openai',
    async complete(asked = {}) {
      const { choices, usage } = await client.chat.completions.create(body(asked), optionsOf(asked));
      const { message, finish_reason: finish } = choices[0] ?? {};
      return {
        text: message?.content ?? '',
        reasoning: '',
        toolCalls: (message?.tool_calls ?? []).flatMap((call) =>
          call.type === 'function'
            ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) }]
            : [],
        ),
        finish,
        usage: chatUsage(usage),
      };
    },
    async stream(asked = {}, onText = () => {}) {
      const stream = client.chat.completions.stream(
        { ...body(asked), stream_options: { include_usage: true } },
        optionsOf(asked),
      );
      stream.on('content', onText);
      const { choices, usage } = await stream.finalChatCompletion();
      const { message, finish_reason: finish } = choices[0] ?? {};
      return {
        text: message?.content ?? '',
        reasoning: '',
        toolCalls: (message?.tool_calls ?? []).flatMap((call) =>
          call.type === 'function'
            ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) }]
            : [],
        ),
        finish,
        usage: chatUsage(usage),
      };
    },
  };
}

export function openaiResponses(client: OpenAI): Client {
  const body = ({ maxOutputTokens }: Asked) => ({
    model: 'gpt-4.1',
    input: prompt,
    tools: [{ type: 'function' as const, name: 'clock', parameters: { ...parameters }, strict: false }],
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
  });
  const heard = (response: OpenAI.Responses.Response): Heard => ({
    text: response.output_text,
    reasoning: response.output
      .flatMap((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text) : []))
      .join(''),
    toolCalls: response.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, arguments: JSON.parse(item.arguments) }] : [],
    ),
    finish: response.incomplete_details?.reason ?? response.status,
    usage: response.usage && {
      inputTokens: response.usage.input_tokens,
      outputTokens: response.usage.output_tokens,
      cachedInputTokens: response.usage.input_tokens_details.cached_tokens,
      cacheWriteTokens: response.usage.input_tokens_details.cache_write_tokens,
      reasoningTokens: response.usage.output_tokens_details.reasoning_tokens,
    },
  });
  return {
    name: 'openai: responses',
    provider: 'openai',
    complete: async (asked = {}) => heard(await client.responses.create(body(asked), optionsOf(asked))),
    async stream(asked = {}, onText = () => {}) {
      const stream = client.responses.stream(body(asked), optionsOf(asked));
      stream.on('response.output_text.delta', ({ delta }) => onText(delta));
      return heard(await stream.finalResponse());
    },
  };
}

export function anthropicMessages(client: Anthropic): Client {
  const body = ({ maxOutputTokens = 1_000 }: Asked) => ({
    model: 'claude-next',
    max_tokens: maxOutputTokens,
    messages: [{ role: 'user' as const, content: prompt }],
    tools: [{ name: 'clock', input_schema: { ...parameters, required: [] } }],
  });
  const heard = ({ content, stop_reason: finish, usage }: Anthropic.Message): Heard => ({
    text: content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
    reasoning: content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])).join(''),
    toolCalls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    finish: finish ?? undefined,
    usage: usage && {
      inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      outputTokens: usage.output_tokens,
      cachedInputTokens: usage.cache_read_input_tokens ?? 0,
      cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
      reasoningTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
    },
  });
  return {
    name: 'anthropic: messages',
    provider: 'anthropic',
    complete: async (asked = {}) => heard(await client.messages.create(body(asked), optionsOf(asked))),
    async stream(asked = {}, onText = () => {}) {
      const stream = client.messages.stream(body(asked), optionsOf(asked));
      stream.on('text', onText);
      return heard(await stream.finalMessage());
    },
  };
}

export function geminiGenerate(client: GoogleGenAI): Client {
  const body = ({ maxOutputTokens, signal }: Asked): GenerateContentParameters => ({
    model: 'gemini-2.5-flash',
    contents: prompt,
    config: {
      tools: [{ functionDeclarations: [{ name: 'clock', parametersJsonSchema: parameters }] }],
      ...(maxOutputTokens !== undefined && { maxOutputTokens }),
      ...(signal !== undefined && { abortSignal: signal }),
    },
  });
  const heard = (chunks: readonly GenerateContentResponse[]): Heard => {
    const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    const { usageMetadata: usage, candidates } = chunks.at(-1) ?? {};
    return {
      text: parts.map(({ text = '', thought }) => (thought ? '' : text)).join(''),
      reasoning: parts.map(({ text = '', thought }) => (thought ? text : '')).join(''),
      toolCalls: parts.flatMap(({ functionCall: call }) =>
        call === undefined ? [] : [{ name: call.name ?? '', arguments: call.args }],
      ),
      finish: candidates?.[0]?.finishReason,
      usage: usage && {
        inputTokens: usage.promptTokenCount ?? 0,
        outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
        cachedInputTokens: usage.cachedContentTokenCount ?? 0,
        reasoningTokens: usage.thoughtsTokenCount ?? 0,
      },
    };
  };
  return {
    name: 'genai',
    provider: 'gemini',
    complete: async (asked = {}) => heard([await client.models.generateContent(body(asked))]),
    async stream(asked = {}, onText = () => {}) {
      const chunks: GenerateContentResponse[] = [];
      for await (const chunk of await client.models.generateContentStream(body(asked))) {
        chunks.push(chunk);
        const [part] = chunk.candidates?.[0]?.content?.parts ?? [];
        if (part?.text && !part.thought) onText(part.text);
      }
      return heard(chunks);
    },
  };
}

function aiSdk(name: string, provider: Client['provider'], model: LanguageModel, maxRetries: number): Client {
  const tools: ToolSet = { clock: tool({ inputSchema: jsonSchema<{ city?: string }>({ ...parameters }) }) };
  const call = ({ maxOutputTokens, signal }: Asked) => ({
    model,
    prompt,
    maxRetries,
    tools,
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(signal !== undefined && { abortSignal: signal }),
  });
  return {
    name,
    provider,
    async complete(asked = {}) {
      const { text, finalStep, toolCalls, finishReason, usage } = await generateText(call(asked));
      return {
        text,
        reasoning: finalStep.reasoningText ?? '',
        toolCalls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
        finish: finishReason,
        usage: aiUsage(usage),
      };
    },
    async stream(asked = {}, onText = () => {}) {
      const result = streamText({ ...call(asked), onError: () => {} });
      let text = '';
      let reasoning = '';
      for await (const part of result.stream) {
        if (part.type === 'error') throw part.error;
        if (part.type === 'abort') throw new DOMException('aborted', 'AbortError');
        if (part.type === 'reasoning-delta') reasoning += part.text;
        if (part.type !== 'text-delta') continue;
        text += part.text;
        onText(part.text);
      }
      const toolCalls = await result.toolCalls;
      return {
        text,
        reasoning,
        toolCalls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
        finish: await result.finishReason,
        usage: aiUsage(await result.usage),
      };
    },
  };
}

function optionsOf({ signal }: Asked) {
  return signal === undefined ? {} : { signal };
}

function chatUsage(usage: OpenAI.CompletionUsage | null | undefined): Partial<Usage> | undefined {
  if (usage == null) return undefined;
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

interface AiUsage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly inputTokenDetails: {
    readonly cacheReadTokens: number | undefined;
    readonly cacheWriteTokens: number | undefined;
  };
  readonly outputTokenDetails: { readonly reasoningTokens: number | undefined };
}

function aiUsage({ inputTokens, outputTokens, inputTokenDetails, outputTokenDetails }: AiUsage): Heard['usage'] {
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    cachedInputTokens: inputTokenDetails.cacheReadTokens ?? 0,
    cacheWriteTokens: inputTokenDetails.cacheWriteTokens ?? 0,
    reasoningTokens: outputTokenDetails.reasoningTokens ?? 0,
  };
}
