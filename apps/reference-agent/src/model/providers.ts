import type { LlmProvider } from '@sage-adk/core';
import { wrapFetch } from '@sage-adk/llm';
import { createAiSdkProvider } from '@sage-adk/llm/ai-sdk';
import type { LlmConfig, ProviderConfig } from '../config/llm.ts';
import { readSecret } from '../config/secret.ts';
import { errors } from '../errors.ts';
import { createLocalModel } from './local-model.ts';
import { keyVariables, sdkModels } from './sdk.ts';

/** Told the header fields of each answer of a provider. */
export type Hear = (provider: string, headers: Headers) => void;

/** The providers that the configuration names, and the local one, each by its name. */
export async function openProviders({ providers }: LlmConfig, hear: Hear): Promise<ReadonlyMap<string, LlmProvider>> {
  const opened = await Promise.all(Object.entries(providers).map(([name, config]) => openProvider(name, config, hear)));
  return new Map([createLocalModel(), ...opened].map((provider) => [provider.name, provider]));
}

/**
 * A provider behind `wrapFetch`, which reads usage off every answer, sees errors within streams before their first content, and ends what stalls.
 * Limits, breaker, retry and report are around the call of the model (`model-call.ts`), so that they are the same for a provider without a fetch.
 */
async function openProvider(name: string, config: ProviderConfig, hear: Hear): Promise<LlmProvider> {
  const { kind, base_url: baseURL } = config;
  const apiKey = await keyIn(name, config);
  const wrapped = wrapFetch(listening(name, hear), {
    provider: name,
    stall: {
      firstContentMs: config.first_content_timeout * 1_000,
      betweenContentsMs: config.between_content_timeout * 1_000,
      totalMs: config.total_timeout * 1_000,
    },
  });
  const modelOf = await sdkModels(kind, {
    name,
    fetch: wrapped,
    ...(baseURL !== undefined && { baseURL }),
    ...(apiKey !== undefined && { apiKey }),
  });
  return createAiSdkProvider({ name, modelOf });
}

function listening(name: string, hear: Hear): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    hear(name, response.headers);
    return response;
  };
}

/** The key that a provider is asked with: of the configuration, of a file, or of the usual variable. */
export async function keyIn(name: string, config: ProviderConfig): Promise<string | undefined> {
  const { kind, api_key: key, api_key_file: file } = config;
  if (key !== undefined) return key;
  if (file !== undefined) return readSecret(file, `llm.providers.${name}.api_key_file`);
  const variable = keyVariables[kind];
  if (variable === undefined) return undefined;
  const found = process.env[variable];
  if (found === undefined || found === '') throw errors.KEY_MISSING({ key: `llm.providers.${name}.api_key`, variable });
  return found;
}
