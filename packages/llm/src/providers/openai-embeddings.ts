/** @see https://platform.openai.com/docs/api-reference/embeddings */
import type { Api } from './api.ts';
import { deploymentIn } from './azure.ts';
import { openaiUsage } from './openai-usage.ts';

export const openaiEmbeddings: Api = {
  provider: 'openai',
  name: 'embeddings',
  detect: (path) => (path.endsWith('/embeddings') ? deploymentIn(path) : undefined),
  request: { maxOutputTokens: [] },
  answer: { usage: 'usage', model: 'model', finishReason: [], usageOf: openaiUsage },
};
