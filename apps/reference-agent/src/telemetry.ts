import { createHealth, type Health, listenForProbes } from '@sage-adk/health';
import { type HealthConfig, healthFromConfig } from '@sage-adk/health/config';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { loggingFromConfig } from '@sage-adk/logging/config';
import type { AgentUrls } from './agent.ts';
import { type Closing, createClosing } from './closing.ts';
import type { AgentConfig } from './config/schema.ts';

/** Everything that watches the agent. None of it is known to what is watched. */
export interface Telemetry {
  readonly health: Health;
  readonly urls: Pick<AgentUrls, 'metrics' | 'health'>;
  /** Writes out what was collected and frees the ports. */
  close(): Promise<void>;
}

/** Starts what the `observability` block asks for. */
export async function startTelemetry({ agent, observability }: AgentConfig): Promise<Telemetry> {
  const closing = createClosing();
  try {
    const logger = closing.add(createLogger({ ...loggingFromConfig(observability.logging), service: agent.id }));
    closing.add(observeLogging(logger));
    const health = closing.add(createHealth());
    const healthUrl = await serveProbes(observability.health, health, closing);
    return { health, urls: { ...(healthUrl !== undefined && { health: healthUrl }) }, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** The URL of the readiness probe; undefined where there is no listener. */
async function serveProbes(config: HealthConfig, health: Health, closing: Closing): Promise<string | undefined> {
  if (!config.enabled) return undefined;
  const probes = closing.add(await listenForProbes(health, healthFromConfig(config)));
  return probes.url + config.readiness_path;
}
