/** A reference agent under the weather: real process, real configuration, three providers of three kinds that fail by a script, and users that ask by A2A. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgentProcess } from '../agent-process.ts';
import { freePort } from '@tooling/services';
import { type Agreement, compare } from './agreement.ts';
import { sendMessages } from './client.ts';
import { type Tally, tally } from './count.ts';
import { scrapeWhenIdle } from './scrape.ts';
import { createScript, type Phase, type Provider } from './script.ts';
import { openSky, type Sky } from './sky.ts';

export interface WeatherOptions {
  readonly seed: number;
  readonly messages: number;
  readonly ratePerSecond: number;
  /** @default mixedWeather */
  readonly phases?: readonly Phase[];
  /** Without it the first provider is asked once, and that is all. @default true */
  readonly recovers?: boolean;
}

/** What is promised of the mixed weather. */
export const bounds = {
  recovered: 0.99,
  fallback: 0.99,
  deadLetters: 0.005,
  userErrors: 0.001,
  degraded: 0.01,
} as const;

/** The promises that were not kept. */
export function broken({ ratios }: Pick<Tally, 'ratios'>): readonly string[] {
  const atLeast = (['recovered', 'fallback'] as const).filter((name) => ratios[name].ratio < bounds[name]);
  const atMost = (['deadLetters', 'userErrors', 'degraded'] as const).filter(
    (name) => ratios[name].ratio > bounds[name],
  );
  return [...atLeast, ...atMost];
}

export interface WeatherResult extends Tally {
  readonly seed: number;
  readonly messages: number;
  readonly agreement: Agreement;
  /** How the agent ended; 0 where all is well. */
  readonly exitCode: number | string;
}

const models: Readonly<Record<Provider, { readonly kind: string; readonly model: string }>> = {
  first: { kind: 'openai', model: 'gpt-5-mini' },
  second: { kind: 'anthropic', model: 'claude-haiku-4-5' },
  third: { kind: 'google', model: 'gemini-2.5-flash' },
};
const providerOf = Object.fromEntries(
  Object.entries(models).map(([provider, { model }]) => [model, provider as Provider]),
);

export async function weather(options: WeatherOptions): Promise<WeatherResult> {
  const { seed, messages, ratePerSecond, recovers = true } = options;
  const script = createScript(options);
  const folder = await mkdtemp(join(tmpdir(), 'weather-'));
  try {
    await using sky = await openSky(script);
    const [port, healthPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
    const blocks = blocksOf(sky, recovers);
    await using agent = createAgentProcess({
      name: 'weather',
      port,
      healthPort,
      metricsPort,
      folder,
      drainDelaySeconds: 0,
      blocks,
    });
    await agent.start();
    const url = `http://127.0.0.1:${port}/a2a/jsonrpc`;
    const seen = await sendMessages({ url, messages, ratePerSecond, atOnce: 48, patienceMs, providerOf });
    await sky.idle();
    const scraped = await scrapeWhenIdle(`http://127.0.0.1:${metricsPort}/metrics`);
    const agreement = compare(scraped, seen, sky, recovers);
    const counted = tally(seen, sky, script, agreement.deadLetters.agent);
    return { seed, messages, ...counted, agreement, exitCode: await agent.end() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Far above the time limits of the providers, so that a busy machine is not taken for one that never answers. */
const patienceMs = 120_000;

function blocksOf({ urls }: Sky, recovers: boolean): string {
  const paths: Readonly<Record<Provider, string>> = { first: '/v1', second: '/v1', third: '/v1beta' };
  const providers = Object.entries(models).map(
    ([name, { kind }]) => `    ${name}:
      kind: ${kind}
      base_url: ${urls[name as Provider]}${paths[name as Provider]}
      api_key: any
      first_content_timeout: 6
      between_content_timeout: 6
`,
  );
  return `llm:
  provider: first
  model: ${models.first.model}
  providers:
${providers.join('')}recovery:
${recovers ? recovery : noRecovery}`;
}

const recovery = `  retry:
    max_attempts: 3
  circuit_breaker:
    enabled: true
  fallback:
    enabled: true
    llm_chain:
      - { provider: second, model: ${models.second.model}, priority: 1 }
      - { provider: third, model: ${models.third.model}, priority: 2 }
    on_cut: restart
    cached_responses: true
    default_message: I cannot answer right now. Please try again in a minute.
  dlq:
    enabled: true
`;

const noRecovery = `  retry:
    max_attempts: 1
  circuit_breaker:
    enabled: false
  fallback:
    enabled: false
  dlq:
    enabled: true
`;
