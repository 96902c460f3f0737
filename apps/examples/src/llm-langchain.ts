/** LangChain with a wrapped fetch: limits cannot live in its callbacks. The provider is a local one, so no key is needed. */
import { ChatOpenAI } from '@langchain/openai';
import { createPriceTable, wrapFetch } from '@sage-adk/llm';
import { createFaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ format: 'text' });
observeLogging(logger);
const provider = await createFaultyProvider({ text: 'It is noon.' });

const price = createPriceTable({ prices: { openai: { 'gpt-4.1': { input: 2, output: 8 } } } });
const configuration = { baseURL: `${provider.url}/v1`, fetch: wrapFetch(fetch, { price }) };
const model = new ChatOpenAI({ model: 'gpt-4.1', apiKey: 'any', configuration, maxRetries: 0 });

console.log((await model.invoke('What time is it?')).text);
for await (const chunk of await model.stream('What time is it?')) console.log(chunk.text);

await provider.close();
await logger.close();
