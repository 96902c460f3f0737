import { expect, test } from '@jest/globals';
import { perfConfig, perfFromConfig } from '../src/config.ts';

test('PF13: the keys of the concurrency block become options', () => {
  expect(perfFromConfig(perfConfig.parse({}))).toEqual({ workerPool: { concurrency: 64, queueSize: 1024 } });
  expect(perfFromConfig(perfConfig.parse({ concurrency: { worker_pool_size: 2, queue_size: 0 } }))).toEqual({
    workerPool: { concurrency: 2, queueSize: 0 },
  });
});

test.each([
  [{ cache: { enabled: true } }, 'is known but not supported yet'],
  [{ concurrency: { max_concurrent: 4 } }, 'is known but not supported yet'],
  [{ concurrency: { worker_pool_size: 0 } }, 'Too small'],
  [{ pools: {} }, 'Unrecognized key'],
])('%j is refused', (config, message) => {
  expect(() => perfConfig.parse(config)).toThrow(message);
});
