import type { HealthCheck, KeyValueStore } from '@sage-adk/core';
import type { CheckSpec, Health } from '@sage-adk/health';

/** Starts the checks; resolves when each has its first result, and with that says that the agent has started. */
export async function startChecks(health: Health, checks: readonly CheckSpec[]): Promise<void> {
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
