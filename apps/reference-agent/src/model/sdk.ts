/** The AI SDK's providers. Each is loaded where it is used, as loading all takes longer than the rest of the agent. */
import type { AiSdkProviderOptions } from '@sage-adk/llm/ai-sdk';
import type { ProviderConfig } from '../config/llm.ts';

export interface SdkOptions {
  readonly name: string;
  readonly baseURL?: string;
  readonly apiKey?: string;
  readonly fetch: typeof globalThis.fetch;
}

/** The provider's name in books of prices and presets. */
export const bookNames: Readonly<Record<ProviderConfig['kind'], string | undefined>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'gemini',
  openai_compatible: undefined,
};

/** Where a key is looked for that the configuration does not name. */
export const keyVariables: Readonly<Record<ProviderConfig['kind'], string | undefined>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
  openai_compatible: undefined,
};

/** The language models of a provider, by their names. */
export async function sdkModels(
  kind: ProviderConfig['kind'],
  { name, ...options }: SdkOptions,
): Promise<AiSdkProviderOptions['modelOf']> {
  if (kind === 'openai') return (await import('@ai-sdk/openai')).createOpenAI(options);
  if (kind === 'anthropic') return (await import('@ai-sdk/anthropic')).createAnthropic(options);
  if (kind === 'google') return (await import('@ai-sdk/google')).createGoogleGenerativeAI(options);
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  return createOpenAICompatible({ name, baseURL: '', ...options, includeUsage: true });
}
