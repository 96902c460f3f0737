/** Google's SDK with a wrapped fetch. The provider is a local one, so no key is needed. */
import { GoogleGenAI } from '@google/genai';
import { createPriceTable, wrapFetch } from '@sage-adk/llm';
import { createFaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ format: 'text' });
observeLogging(logger);
const provider = await createFaultyProvider({ text: 'It is noon.' });

const price = createPriceTable({ prices: { gemini: { 'gemini-2.5-flash': { input: 0.3, output: 2.5 } } } });
const httpOptions = { baseUrl: provider.url, fetch: wrapFetch(fetch, { price }) };
const client = new GoogleGenAI({ apiKey: 'any', httpOptions });

const question = { model: 'gemini-2.5-flash', contents: 'What time is it?' };
console.log((await client.models.generateContent(question)).text);
for await (const chunk of await client.models.generateContentStream(question)) console.log(chunk.text);

await provider.close();
await logger.close();
