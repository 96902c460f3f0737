/** The agent with two providers and a Redis, watched by a Prometheus that tells an Alertmanager, which calls a webhook. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createFaultyProvider, type FaultyProvider } from '@sage-adk/llm/testing';
import { scaleDurations } from '@tooling/monitoring';
import { freePort, type Server, startAlertmanager, started, startPrometheus, startRedis } from '@tooling/services';
import { createAgentProcess } from '../agent-process.ts';
import { startWebhook, type Webhook } from './webhook.ts';

export interface Stage extends AsyncDisposable {
  readonly agentUrl: string;
  readonly metricsUrl: string;
  /** What the agent asks first. */
  readonly main: FaultyProvider;
  /** What it asks where the first fails. */
  readonly spare: FaultyProvider;
  readonly prometheus: Server;
  readonly webhook: Webhook;
}

/** Who calls the agent; each name is a key too. */
export const users = {
  ada: '',
  /** May ask three times a minute. */
  few: 'few',
  /** Has no money. */
  poor: 'poor',
} as const;

const rules = ['percentiles.yaml', 'slo.yaml', 'alerts.yaml'] as const;
const usage = { inputTokens: 100, outputTokens: 20, cachedInputTokens: 40, reasoningTokens: 5 };

/**
 * Brings it all up.
 * @param fastMotion factor of all durations of the rules.
 */
export async function setStage(folder: string, fastMotion: number): Promise<Stage> {
  await using starting = new AsyncDisposableStack();
  const main = starting.use(await createFaultyProvider({ text: 'It is noon.', usage, tokenDelayMs: 5 }));
  const spare = starting.use(await createFaultyProvider({ text: 'It is about noon.', usage, tokenDelayMs: 5 }));
  const redis = starting.use(started(await startRedis({ fresh: true })));
  const webhook = starting.use(await startWebhook());
  const [port, healthPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const agent = starting.use(
    createAgentProcess({
      name: 'watched',
      port,
      healthPort,
      metricsPort,
      folder,
      drainDelaySeconds: 0,
      apiKeys: JSON.stringify(
        Object.entries(users).map(([id, tier]) => ({ id, sha256: sha256(id), ...(tier && { tier }) })),
      ),
      blocks: blocksOf(main.url, spare.url, redis.url),
    }),
  );
  await agent.start();
  const alertmanager = starting.use(started(await startAlertmanager({ config: JSON.stringify(routing(webhook.url)) })));
  const prometheus = starting.use(
    started(
      await startPrometheus({
        config: JSON.stringify(watching(`127.0.0.1:${metricsPort}`, alertmanager.port)),
        files: Object.fromEntries(rules.map((name) => [name, scaleDurations(committed(`rules/${name}`), fastMotion)])),
      }),
    ),
  );
  const standing = starting.move();
  return {
    agentUrl: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    main,
    spare,
    prometheus,
    webhook,
    [Symbol.asyncDispose]: () => standing.disposeAsync(),
  };
}

/** A file of docs/deployment/monitoring, as it is in the repository. */
export function committed(name: string): string {
  return readFileSync(new URL(`../../../../docs/deployment/monitoring/${name}`, import.meta.url), 'utf8');
}

function blocksOf(main: string, spare: string, redis: string): string {
  return `llm:
  provider: main
  model: gpt-5-mini
  max_output_tokens: 200
  providers:
    main: { kind: openai, base_url: '${main}/v1', api_key: any, first_content_timeout: 3 }
    spare: { kind: anthropic, base_url: '${spare}/v1', api_key: any }
rate_limit:
  storage: redis
  global: { requests_per_second: 1000, tokens_per_minute: 100000000, max_cost_per_hour: 1000, max_concurrent: 100 }
  per_user: { requests_per_minute: 100000 }
  tiers:
    few: { requests_per_minute: 3 }
    poor: { max_cost_per_hour: 0.000001 }
redis: { url: '${redis}', timeout_ms: 2000 }
recovery:
  retry: { max_attempts: 2 }
  fallback:
    enabled: true
    llm_chain: [{ provider: spare, model: claude-haiku-4-5, priority: 1 }]
  dlq: { enabled: true, auto_retry: true, retry_interval: 1 }
`;
}

function watching(target: string, alertmanagerPort: number): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
    scrape_configs: [{ job_name: 'sage-agent', static_configs: [{ targets: [target] }] }],
  };
}

function routing(url: string): object {
  return {
    route: { receiver: 'drill', group_by: ['...'], group_wait: '1s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'drill', webhook_configs: [{ url, send_resolved: true }] }],
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
