import { anthropicMessages } from './anthropic-messages.ts';
import type { WireFormat } from './format.ts';
import { geminiGenerate } from './gemini-generate.ts';
import { anthropicModels, geminiModels, openaiModels } from './models.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiCompletions } from './openai-completions.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';

/** The first that fits is taken. */
export const wireFormats: readonly WireFormat[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  openaiEmbeddings,
  anthropicMessages,
  geminiGenerate,
  anthropicModels,
  geminiModels,
  openaiModels,
];
