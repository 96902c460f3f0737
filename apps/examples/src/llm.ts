/** The boundary to a model: any SDK that takes a `fetch` takes this one, and what each call used is told. Needs no key: the provider is a function. */
import { createLogger, observeLogging } from '@sage-adk/logging';
import { wrapFetch } from '@sage-adk/llm';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const modelFetch = wrapFetch(async () =>
  Response.json({
    model: 'gpt-4.1-2025-04-14',
    choices: [{ message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 34 },
  }),
);

// With an SDK: new OpenAI({ fetch: modelFetch, maxRetries: 0 }).
const response = await modelFetch('https://api.example/v1/chat/completions', {
  method: 'POST',
  body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello' }] }),
});
console.log(await response.json());
await logger.close();
