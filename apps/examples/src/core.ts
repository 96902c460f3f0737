/** Operations: describe what your code does once, and everything that watches sees it. Here logging watches. */
import { operate, run } from '@sage-adk/core';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const entries = new Map([['greeting', 'hello']]);

function read(key: string): Promise<string | undefined> {
  return operate('storage.get', { store: 'map', namespace: 'example' }, async (operation) => {
    const found = entries.get(key);
    operation.set({ hit: found !== undefined });
    return found;
  });
}

// The context belongs to everything that happens inside, so both lines below carry the request's id.
await run({ requestId: 'request-1' }, async () => {
  logger.info('read', { greeting: await read('greeting'), nothing: await read('nothing') });
});
await logger.close();
