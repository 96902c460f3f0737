/**
 * How operations are spelt as spans. All names of OpenTelemetry's semantic conventions that this package uses stand here.
 *
 * The conventions for models, agents, A2A and MCP are still in development, so they are pinned to a revision: names change when we say so.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 */
import { SpanKind } from '@opentelemetry/api';
import type { Context, EndOf, OperationName, StartOf } from '@sage-adk/core';

/** The revision of the conventions that the names follow. */
export const semanticsRevision = '024a4f944a12';

/** How one operation is spelt; what it leaves out has a default. */
export interface Spelling<N extends OperationName = OperationName> {
  /** Few values: never an id, never text of a user. @default the operation's name */
  readonly name?: (start: StartOf<N>) => string;
  /** A better name, once all is known. */
  readonly nameAtEnd?: (start: StartOf<N>, end: EndOf<N>) => string | undefined;
  /** @default what the catalogue says */
  readonly kind?: (start: StartOf<N>) => SpanKind;
  /** Attributes that follow from the start. */
  readonly fixed?: (start: StartOf<N>) => Readonly<Record<string, string>>;
  /** The `traceparent` of a request that the span links to, once it is known. */
  readonly linkAtEnd?: (end: EndOf<N>) => string | undefined;
  /** Conventional names of our attributes, with the value's conversion if there is one. The rest is called `sage.<first part of the operation>.<attribute>`. */
  readonly attributes?: { readonly [K in keyof StartOf<N> | keyof EndOf<N>]?: string | Renamed };
}

export interface Renamed {
  readonly name: string;
  readonly value: (value: unknown) => unknown;
}

const systems: Readonly<Record<string, string>> = { postgres: 'postgresql' };
const providers: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  google: 'gcp.gemini',
  mistral: 'mistral_ai',
  vertex: 'gcp.vertex_ai',
  xai: 'x_ai',
};
const modelOperations: Readonly<Record<string, string>> = { embeddings: 'embeddings', completions: 'text_completion' };

const renamed = (name: string, value: (value: unknown) => unknown): Renamed => ({ name, value });
const known = (name: string, values: Readonly<Record<string, string>>): Renamed =>
  renamed(name, (value) => (typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : value));

const unsaid = renamed('', () => undefined);

const modelOperation = ({ api }: { readonly api: string }): string => modelOperations[api] ?? 'chat';

const storage = (operation: string): Spelling<'storage.get' | 'storage.set' | 'storage.delete' | 'storage.list'> => ({
  name: ({ namespace }) => `${operation} ${namespace}`,
  fixed: () => ({ 'db.operation.name': operation }),
});

const storageNames = { store: known('db.system.name', systems), namespace: 'db.collection.name' } as const;
// Keys hold ids of users: a span says where and how, not what.
const keyed = { ...storageNames, key: unsaid };

const a2a: Spelling<'a2a.send' | 'a2a.receive'> = {
  name: ({ method }) => method,
  attributes: {
    method: 'a2a.method.name',
    status: 'http.response.status_code',
    taskState: 'a2a.task.state',
    messageId: 'a2a.message.id',
    taskId: 'a2a.task.id',
  },
};

export const spellings: { readonly [N in OperationName]?: Spelling<N> } = {
  'agent.request': {
    name: ({ method }) => method,
    fixed: ({ protocol, method }): Readonly<Record<string, string>> =>
      protocol === 'a2a' ? { 'a2a.method.name': method } : {},
    attributes: { protocol: 'sage.protocol', status: 'http.response.status_code' },
  },
  'agent.middleware': {
    name: ({ middleware }) => `middleware ${middleware}`,
    attributes: { middleware: 'sage.middleware' },
  },
  'llm.call': {
    name: (start) => `${modelOperation(start)} ${start.model}`,
    fixed: (start) => ({ 'gen_ai.operation.name': modelOperation(start) }),
    attributes: {
      provider: known('gen_ai.provider.name', providers),
      model: 'gen_ai.request.model',
      stream: 'gen_ai.request.stream',
      responseModel: 'gen_ai.response.model',
      finishReason: renamed('gen_ai.response.finish_reasons', (reason) => [reason]),
      inputTokens: 'gen_ai.usage.input_tokens',
      outputTokens: 'gen_ai.usage.output_tokens',
      cachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
      cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
      reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
      firstTokenMs: renamed('gen_ai.response.time_to_first_chunk', (ms) => Number(ms) / 1_000),
    },
  },
  'storage.get': { ...storage('get'), attributes: keyed },
  'storage.set': { ...storage('set'), attributes: keyed },
  'storage.delete': { ...storage('delete'), attributes: keyed },
  'storage.list': { ...storage('list'), attributes: { ...storageNames, prefix: unsaid } },
  'protocol.handshake': { attributes: { protocol: 'sage.protocol' } },
  'a2a.send': a2a,
  'a2a.receive': a2a,
  'mcp.call': {
    name: ({ method }) => method,
    nameAtEnd: ({ method }, { tool }) => (tool === undefined ? undefined : `${method} ${tool}`),
    kind: ({ role }) => (role === 'server' ? SpanKind.SERVER : SpanKind.CLIENT),
    attributes: {
      method: 'mcp.method.name',
      tool: 'gen_ai.tool.name',
      errorCode: renamed('rpc.response.status_code', String),
    },
  },
  'dlq.replay': { linkAtEnd: ({ origin }) => origin },
  'tool.call': {
    name: ({ tool }) => `execute_tool ${tool}`,
    fixed: () => ({ 'gen_ai.operation.name': 'execute_tool' }),
    attributes: { tool: 'gen_ai.tool.name', callId: 'gen_ai.tool.call.id' },
  },
};

/** The request that a span belongs to. */
export const contextAttributes = {
  agentId: 'gen_ai.agent.id',
  messageId: 'sage.message.id',
  protocol: 'sage.protocol',
  requestId: 'sage.request.id',
  sessionId: 'gen_ai.conversation.id',
  tenant: 'sage.tenant',
  userId: 'user.id',
} as const satisfies { readonly [K in keyof Context]?: string };

/** Set where security was violated in the span. */
export const securityAttribute = 'sage.security.violation';
/** Set where something happened in the span that somebody must look at. */
export const criticalAttribute = 'sage.critical';
export const costAttribute = 'sage.llm.cost_nano_usd';
/** Why a trace outside of the sampled share was kept. */
export const samplingReasonAttribute = 'sage.sampling.reason';
export const outcomeAttribute = 'sage.outcome';
export const errorTypeAttribute = 'error.type';
