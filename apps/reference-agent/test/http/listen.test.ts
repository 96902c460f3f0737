import { expect, test } from '@jest/globals';
import { listen } from '../../src/http/listen.ts';

test('where nothing can listen, the error names the key that is wrong', async () => {
  const there = await listen({ host: '127.0.0.1', port: 0, block: 'server' });
  try {
    const taken = listen({ host: '127.0.0.1', port: there.port, block: 'server' });
    await expect(taken).rejects.toThrow(`Port ${there.port} of 127.0.0.1 is in use. Set another server.port.`);
  } finally {
    await there.close(100);
  }
  // An address of documentation: no machine has it.
  const elsewhere = listen({ host: '192.0.2.1', port: 0, block: 'observability.metrics' });
  await expect(elsewhere).rejects.toThrow('Check observability.metrics.host.');
});
