import { anthropicMessages } from './anthropic-messages.ts';
import type { Api } from './api.ts';
import { geminiGenerate } from './gemini-generate.ts';
import { geminiInteractions } from './gemini-interactions.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiCompletions } from './openai-completions.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiCompaction, openaiResponses } from './openai-responses.ts';

export const apis: readonly Api[] = [
  openaiChat,
  openaiResponses,
  openaiEmbeddings,
  anthropicMessages,
  geminiGenerate,
  openaiCompletions,
  openaiCompaction,
  geminiInteractions,
];
