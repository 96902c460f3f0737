/** Logs: a line for each operation, with the request it belongs to and without secrets. */
import { operate, run } from '@sage-adk/core';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ service: 'weather-agent' });
observeLogging(logger);

await run({ requestId: 'request-1', userId: 'ada' }, async () => {
  logger.info('asked for the weather', { city: 'Oslo', apiKey: 'this is never written' });
  const call = { provider: 'example', model: 'small', api: 'chat', stream: false };
  await operate('llm.call', call, async (operation) => {
    operation.set({ inputTokens: 12, outputTokens: 3 });
    return 'rain';
  });
});
await logger.close();
