import { hostname } from 'node:os';
import { emit } from '@sage-adk/core';
import { createMetrics, type Metrics } from '@sage-adk/metrics';
import { type ConfiguredMetrics, metricsFromConfig } from '@sage-adk/metrics/config';
import { watchPool, fetchConnections } from '@sage-adk/metrics/pools';
import { collectExemplars, createScrape } from '@sage-adk/metrics/scrape';
import type { Closing } from '../closing.ts';
import type { AgentConfig } from '../config/schema.ts';
import { listen } from '../http/listen.ts';
import { startObjectives } from './objectives.ts';
import { answerReports } from './reports.ts';
import { startUsage } from './usage.ts';

/**
 * Counts everything the agent does, and shows it: scraped on a listener of its own, pushed and written where the config says so, with reports on usage and objectives.
 *
 * @returns where it is scraped; undefined where metrics are off.
 */
export async function startMetrics(config: AgentConfig, closing: Closing): Promise<string | undefined> {
  const { agent, observability } = config;
  const wanted = metricsFromConfig(observability.metrics);
  if (!wanted.enabled) return undefined;
  const metrics = closing.add(createMetrics({ build: { agent: agent.id, version: agent.version } }));
  closing.add(watchPool('fetch', fetchConnections()));
  const reports = {
    usage: await startUsage(config, wanted.usage, closing),
    slo: startObjectives(metrics, wanted, closing),
  };
  // Only where traces are recorded is there one to point to.
  const exemplars = observability.tracing.enabled ? closing.add(collectExemplars()) : undefined;
  const { path, ...address } = wanted.listen;
  const server = await listen({ ...address, block: 'observability.metrics' });
  closing.add({ close: () => server.close(1_000) });
  server.serve(answerReports(reports, createScrape({ metrics, path, ...(exemplars && { exemplars }) })));
  await startDelivery(agent.id, metrics, wanted, closing);
  return server.url + path;
}

/** What is closed last was opened first: the last push and the last text have everything. */
async function startDelivery(
  id: string,
  metrics: Metrics,
  { everyMs, pushUrl, textfile }: ConfiguredMetrics,
  closing: Closing,
): Promise<void> {
  if (pushUrl !== undefined) {
    const { createPush } = await import('@sage-adk/metrics/push');
    // A new one for each start: its counters begin at 0.
    const instance = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
    const grouping = { instance };
    const push = createPush({ metrics, url: pushUrl, job: id, grouping, everyMs, closeWithinMs: lastPushMs });
    closing.add({ close: () => push.close().catch((error: unknown) => tellOf('push_failed', error)) });
  }
  if (textfile !== undefined) {
    const { createTextfile } = await import('@sage-adk/metrics/textfile');
    const file = createTextfile({ metrics, path: textfile, everyMs });
    closing.add({ close: () => file.close().catch((error: unknown) => tellOf('not_written', error)) });
  }
}

/** Less than the drain gives to all telemetry. */
const lastPushMs = 5_000;

/** An agent that could not deliver its last numbers says so in its log, and ends well all the same. */
function tellOf(reason: string, error: unknown): void {
  emit('error.critical', { source: 'metrics', reason, message: String(error) });
}
