/** The AI SDK with a middleware around its model, and telemetry of the tools that it calls. The provider is a local one, so no key is needed. */
import { createOpenAI } from '@ai-sdk/openai';
import { createPriceTable } from '@sage-adk/llm';
import { createAiSdkMiddleware, createAiSdkTelemetry } from '@sage-adk/llm/ai-sdk';
import { createFaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { generateText, isStepCount, registerTelemetry, streamText, tool, wrapLanguageModel } from 'ai';
import { z } from 'zod';

const logger = createLogger({ format: 'text' });
observeLogging(logger);
const provider = await createFaultyProvider({ text: 'It is noon.' });

const price = createPriceTable({ prices: { openai: { 'gpt-4.1': { input: 2, output: 8 } } } });
const openai = createOpenAI({ apiKey: 'any', baseURL: `${provider.url}/v1` });
const model = wrapLanguageModel({ model: openai('gpt-4.1'), middleware: createAiSdkMiddleware({ price }) });
registerTelemetry(createAiSdkTelemetry({ price }));

provider.next({ toolCalls: [{ name: 'clock', arguments: {} }] });
const tools = { clock: tool({ inputSchema: z.object({}), execute: async () => 'noon' }) };
console.log((await generateText({ model, prompt: 'What time is it?', tools, stopWhen: isStepCount(2) })).text);
console.log(await streamText({ model, prompt: 'What time is it?' }).text);

await provider.close();
await logger.close();
