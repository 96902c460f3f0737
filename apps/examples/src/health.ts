/** Health: three probes on a port of their own, answered from what is known already. */
import { createHealth } from '@sage-adk/health';
import { listenForProbes } from '@sage-adk/health/node';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

let storageIsThere = true;
const health = createHealth({
  checks: [
    {
      name: 'storage',
      failureThreshold: 1,
      async check() {
        if (!storageIsThere) throw new Error('connection refused');
      },
    },
  ],
});
const probes = await listenForProbes(health, { port: 0 });

async function show(when: string): Promise<void> {
  const { status } = await fetch(`${probes.url}/health/ready`);
  console.log(`${when}: ready answers ${status}`);
}

await show('while starting');
await health.refresh();
health.markStarted();
await show('once started');
storageIsThere = false;
await health.refresh();
await show('without storage');

await probes.close();
await health.close();
await logger.close();
