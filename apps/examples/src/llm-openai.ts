/** OpenAI's SDK with a wrapped fetch: each call is told with its usage and cost. The provider is a local one, so no key is needed. */
import { createPriceTable, wrapFetch } from '@sage-adk/llm';
import { createFaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';
import OpenAI from 'openai';

const logger = createLogger({ format: 'text' });
observeLogging(logger);
const provider = await createFaultyProvider({ text: 'It is noon.' });

const price = createPriceTable({ prices: { openai: { 'gpt-4.1': { input: 2, output: 8 } } } });
const baseURL = `${provider.url}/v1`;
const client = new OpenAI({ apiKey: 'any', baseURL, fetch: wrapFetch(fetch, { price }), maxRetries: 0 });

const messages = [{ role: 'user' as const, content: 'What time is it?' }];
const answer = await client.chat.completions.create({ model: 'gpt-4.1', messages });
console.log(answer.choices[0]?.message.content);
for await (const { choices } of await client.chat.completions.create({ model: 'gpt-4.1', messages, stream: true })) {
  process.stdout.write(`${choices[0]?.delta.content ?? ''}\n`);
}

await provider.close();
await logger.close();
