import type { HealthCheck, KeyValueStore } from '@sage-adk/core';
import type { Health } from '@sage-adk/health';
import type { Listening } from './http/listen.ts';

/** Starts the checks; resolves when each has its first result, and with that says that the agent has started. */
export async function startChecks(health: Health, checks: readonly HealthCheck[]): Promise<void> {
  for (const check of checks) health.register(check);
  await health.refresh();
  health.markStarted();
}

/** Whether the storage answers. */
export function storageCheck(store: KeyValueStore): HealthCheck {
  return {
    name: 'storage',
    async check(signal) {
      await store.get('health', { signal });
    },
  };
}

/** Whether the protocol's adapter takes requests. */
export function serverCheck(server: Listening): HealthCheck {
  return {
    name: 'protocol.a2a',
    async check() {
      if (!server.isListening()) throw new Error('The agent does not listen.');
    },
  };
}
