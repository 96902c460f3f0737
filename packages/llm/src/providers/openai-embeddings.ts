/** @see https://platform.openai.com/docs/api-reference/embeddings */
import { answerShape } from '../body/answer-shape.ts';
import { requestShape } from '../request/request-shape.ts';
import type { Api } from './api.ts';
import { deploymentIn } from './azure.ts';
import { openaiCounts, openaiUsage } from './openai-usage.ts';

export const openaiEmbeddings: Api = {
  provider: 'openai',
  name: 'embeddings',
  detect: (path) => (path.endsWith('/embeddings') ? deploymentIn(path) : undefined),
  request: requestShape({ maxOutputTokens: [], hasNoOutput: true }),
  answer: answerShape({ usage: 'usage', counts: openaiCounts, model: 'model', finishReason: [], usageOf: openaiUsage }),
};
