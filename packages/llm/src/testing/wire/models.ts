/** The lists of models, which cost nothing and are what a health check asks for. */
import { anthropicErrors } from './anthropic-errors.ts';
import type { WireFormat } from './format.ts';
import { geminiErrors } from './gemini-errors.ts';
import { openaiErrors } from './openai-errors.ts';

const id = 'faulty-model';
const createdS = 1_735_689_600;

const list = {
  api: 'models',
  free: true,
  ask: () => ({ model: id, stream: false, maxOutputTokens: 0, endsWithToolResult: false }),
} as const;

export const anthropicModels: WireFormat = {
  ...list,
  provider: 'anthropic',
  fits: ({ method, path, headers }) =>
    method === 'GET' && path.endsWith('/models') && headers['anthropic-version'] !== undefined,
  json: () =>
    JSON.stringify({
      data: [{ type: 'model', id, display_name: 'Faulty model', created_at: new Date(createdS * 1_000).toISOString() }],
      has_more: false,
      first_id: id,
      last_id: id,
    }),
  errors: anthropicErrors,
};

export const geminiModels: WireFormat = {
  ...list,
  provider: 'gemini',
  fits: ({ method, path, headers }) =>
    method === 'GET' &&
    path.endsWith('/models') &&
    (headers['x-goog-api-key'] !== undefined || path.endsWith('/v1beta/models')),
  json: () =>
    JSON.stringify({
      models: [
        {
          name: `models/${id}`,
          version: '001',
          displayName: 'Faulty model',
          inputTokenLimit: 1_048_576,
          outputTokenLimit: 65_536,
          supportedGenerationMethods: ['generateContent'],
        },
      ],
    }),
  errors: geminiErrors,
};

/** Whoever asks in no other way is taken for OpenAI's. */
export const openaiModels: WireFormat = {
  ...list,
  provider: 'openai',
  fits: ({ method, path }) => method === 'GET' && path.endsWith('/models'),
  json: () =>
    JSON.stringify({ object: 'list', data: [{ id, object: 'model', created: createdS, owned_by: 'faulty' }] }),
  errors: openaiErrors,
};
