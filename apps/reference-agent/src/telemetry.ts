import { createHealth, type Health } from '@sage-adk/health';
import { type HealthConfig, healthFromConfig } from '@sage-adk/health/config';
import { listenForProbes } from '@sage-adk/health/node';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { observeAudit, openAuditLog } from '@sage-adk/logging/audit';
import { auditFromConfig, type LoggingConfig, loggingFromConfig } from '@sage-adk/logging/config';
import { type TracingConfig, tracingFromConfig } from '@sage-adk/tracing/config';
import type { AgentUrls } from './agent.ts';
import { type Closing, createClosing } from './closing.ts';
import type { AgentConfig } from './config/schema.ts';
import { readSecret } from './config/secret.ts';
import { startMetrics } from './metrics/start.ts';
import { secretsIn } from './secrets.ts';

/** Everything that watches the agent. None of it is known to what is watched. */
export interface Telemetry {
  readonly health: Health;
  readonly urls: Urls;
  /** Writes out what was collected and frees the ports. */
  close(): Promise<void>;
}

/** Missing where not enabled. */
type Urls = Pick<AgentUrls, 'metrics' | 'health'>;

/** Starts what the `observability` block asks for. */
export async function startTelemetry(config: AgentConfig): Promise<Telemetry> {
  const { agent, observability } = config;
  const { logging, tracing } = observability;
  const closing = createClosing();
  try {
    const secrets = await secretsIn(config);
    const logger = closing.add(createLogger({ ...loggingFromConfig(logging), service: agent.id, secrets }));
    closing.add(observeLogging(logger));
    await startAudit(logging, secrets, closing);
    await startSpans(tracing, secrets, closing);
    const health = closing.add(createHealth());
    const metrics = await startMetrics(config, closing);
    const urls = {
      ...(metrics !== undefined && { metrics }),
      ...(await serveProbes(observability.health, health, closing)),
    };
    return { health, urls, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** Violations of security, changes of the configuration and critical errors, in a log that shows what was done to it. */
async function startAudit(config: LoggingConfig, secrets: readonly string[], closing: Closing): Promise<void> {
  const { key_file: file } = config.audit;
  const key = file === undefined ? undefined : await readSecret(file, 'observability.logging.audit.key_file');
  const options = auditFromConfig(config, key);
  if (options === undefined) return;
  closing.add(observeAudit(closing.add(openAuditLog({ ...options, secrets }))));
}

async function startSpans(config: TracingConfig, secrets: readonly string[], closing: Closing): Promise<void> {
  const options = tracingFromConfig(config);
  if (options === undefined) return;
  // The SDK takes longer to load than the rest of the agent.
  const { startTracing } = await import('@sage-adk/tracing/sdk');
  const tracing = startTracing({ ...options, secrets });
  closing.add({ close: () => tracing.shutdown() });
}

async function serveProbes(config: HealthConfig, health: Health, closing: Closing): Promise<Urls> {
  if (!config.enabled) return {};
  const probes = closing.add(await listenForProbes(health, healthFromConfig(config)));
  return { health: probes.url + config.readiness_path };
}
