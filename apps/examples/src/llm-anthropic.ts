/** Anthropic's SDK with a middleware, which works on Bedrock and Vertex as well. The provider is a local one, so no key is needed. */
import Anthropic from '@anthropic-ai/sdk';
import { createPriceTable } from '@sage-adk/llm';
import { createAnthropicMiddleware } from '@sage-adk/llm/anthropic';
import { createFaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ format: 'text' });
observeLogging(logger);
const provider = await createFaultyProvider({ text: 'It is noon.' });

const price = createPriceTable({ prices: { anthropic: { 'claude-next': { input: 3, output: 15 } } } });
const middleware = [createAnthropicMiddleware({ price })];
const client = new Anthropic({ apiKey: 'any', baseURL: provider.url, middleware, maxRetries: 0 });

const messages = [{ role: 'user' as const, content: 'What time is it?' }];
const answer = await client.messages.create({ model: 'claude-next', max_tokens: 100, messages });
console.log(answer.content);
const stream = client.messages.stream({ model: 'claude-next', max_tokens: 100, messages });
await stream.on('text', (text) => console.log(text)).finalMessage();

await provider.close();
await logger.close();
