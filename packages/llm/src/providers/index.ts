import { anthropicMessages } from './anthropic-messages.ts';
import type { Api } from './api.ts';
import { geminiGenerate } from './gemini-generate.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';

export const apis: readonly Api[] = [openaiChat, openaiResponses, openaiEmbeddings, anthropicMessages, geminiGenerate];
