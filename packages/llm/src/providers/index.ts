import { anthropic } from './anthropic.ts';
import { gemini } from './gemini.ts';
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';

export const providers: readonly Provider[] = [openai, anthropic, gemini];
