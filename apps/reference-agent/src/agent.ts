import { emit, endOpen, type KeyValueStore, type LlmProvider, type PricePort } from '@sage-adk/core';
import { createDrain } from '@sage-adk/health/drain';
import { eventLoopCheck, llmCheck, memoryCheck, protocolCheck } from '@sage-adk/health/checks';
import { createPriceTable } from '@sage-adk/llm';
import { createWorkerPool, type WorkerPool } from '@sage-adk/perf';
import { perfFromConfig } from '@sage-adk/perf/config';
import { createRetry } from '@sage-adk/recovery';
import { recoveryFromConfig } from '@sage-adk/recovery/config';
import { createCard } from './a2a/card.ts';
import { cardPath } from './a2a/card-surface.ts';
import { createA2a } from './a2a/surfaces.ts';
import { type Closing, createClosing } from './closing.ts';
import type { AgentConfig } from './config/schema.ts';
import { createConversations } from './conversation/conversations.ts';
import { createMemoryStore } from './conversation/memory-store.ts';
import { errors } from './errors.ts';
import { startChecks, storageCheck } from './health-checks.ts';
import { createIdentify } from './http/identify.ts';
import { listen, type Listening } from './http/listen.ts';
import { createPipeline, type Pipeline } from './http/pipeline.ts';
import type { Surfaces, Work } from './http/surface.ts';
import { createLimits, type Limits } from './limits/limits.ts';
import { createMessageHandler, type MessageHandler } from './messages/handler.ts';
import { createMessages, messagesPath } from './messages/surface.ts';
import { createLocalModel } from './model/local-model.ts';
import { createModelCall } from './model/model-call.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  /** The model. @default the local scripted one */
  readonly provider?: LlmProvider;
  /** What the model costs. @default what `llm.price` says */
  readonly price?: PricePort;
  /** Milliseconds until an answer is given up. @default 300_000 */
  readonly timeoutMs?: number;
  /** Called once everything listens, before the first line is logged. */
  readonly onListening?: (urls: AgentUrls) => void;
}

/** Where the agent is reached. */
export interface AgentUrls {
  readonly agent: string;
  readonly card: string;
  readonly messages: string;
  /** Missing where not enabled. */
  readonly metrics?: string;
  readonly health?: string;
}

/** A running agent. */
export interface Agent {
  readonly urls: AgentUrls;
  /** Takes no more requests, ends those that run, writes out logs and spans, and frees every port. */
  close(): Promise<void>;
}

/** Starts an agent from its configuration: this is where the packages meet. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const {
    config,
    provider = createLocalModel(),
    price = priceIn(config, provider),
    timeoutMs = 300_000,
    onListening,
  } = options;
  const closing = createClosing();
  try {
    const telemetry = closing.add(await startTelemetry(config));
    const store = closing.add(createMemoryStore({ namespace: 'conversations' }));
    const limits = await createLimits(config, closing);
    requirePrice(config, provider, price, limits);
    const handle = createHandler(config, { provider, price, limits }, store);
    const pool = createWorkerPool({ name: 'messages', ...perfFromConfig(config.performance).workerPool });

    const server = await listen({ ...config.server, key: 'server.port' });
    const pipeline = createPipeline({
      surfaces: createSurfaces(config, server, handle, workOf(pool)),
      identify: createIdentify(config.server.api_keys),
      admit: limits.admit,
      agentId: config.agent.id,
      timeoutMs,
    });
    server.serve(pipeline.listener);

    const { url } = server;
    const urls = { agent: url, card: url + cardPath, messages: url + messagesPath, ...telemetry.urls };
    onListening?.(urls);
    await startChecks(telemetry.health, [
      closing.add(llmCheck()),
      storageCheck(store),
      ...limits.checks,
      protocolCheck({ server, name: 'protocol.a2a' }),
      // A slow process is better than none: these tell operators, and take no agent out of service.
      closing.add(eventLoopCheck({ critical: false })),
      memoryCheck({ critical: false }),
    ]);
    return { urls, close: once(() => stop({ config, telemetry, pipeline, server, pool, closing })) };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

interface Model {
  readonly provider: LlmProvider;
  readonly price: PricePort | undefined;
  readonly limits: Limits;
}

function createHandler(
  { llm, recovery }: AgentConfig,
  { provider, price, limits }: Model,
  store: KeyValueStore,
): MessageHandler {
  // Asking a model again has no effect but its price.
  const retry = createRetry({ ...recoveryFromConfig(recovery).retry, idempotent: true });
  return createMessageHandler({
    conversations: createConversations({ store }),
    callModel: createModelCall({
      provider,
      model: llm.model,
      maxOutputTokens: llm.max_output_tokens,
      retry,
      price,
      limiter: limits.model,
    }),
  });
}

function priceIn({ llm: { model, price } }: AgentConfig, provider: LlmProvider): PricePort | undefined {
  return price && createPriceTable({ prices: { [provider.name]: { [model]: price } } });
}

/** A budget that nobody can count would be spent without end. */
function requirePrice({ llm }: AgentConfig, provider: LlmProvider, price: PricePort | undefined, limits: Limits): void {
  const { model, unknown_price: unknown } = llm;
  if (!limits.countsCost || unknown === 'allow') return;
  const usage = { inputTokens: 1, outputTokens: 1 };
  if (price?.costNanoUsd({ provider: provider.name, model, usage }) === undefined)
    throw errors.PRICE_UNKNOWN({ provider: provider.name, model });
}

function createSurfaces(
  { agent, server }: AgentConfig,
  listening: Listening,
  handle: MessageHandler,
  work: Work,
): Surfaces {
  const url = (server.public_url ?? listening.url).replace(/\/+$/, '');
  const card = createCard({ ...agent, url, needsKey: server.api_keys.length > 0 });
  const a2a = createA2a({ card, handle, work });
  return { ...a2a, byPath: { ...a2a.byPath, [messagesPath]: createMessages({ handle, work }) } };
}

/** Message handling waits for a worker; the worker is free again when the answer is sent and the task behind it is done. */
function workOf(pool: WorkerPool): Work {
  return (exchange, task) =>
    pool.run(async () => {
      await task();
      await exchange.settled();
    });
}

interface Running {
  readonly config: AgentConfig;
  readonly telemetry: Telemetry;
  readonly pipeline: Pipeline;
  readonly server: Listening;
  readonly pool: WorkerPool;
  readonly closing: Closing;
}

/** In this order: say so, wait until nobody sends more, finish or give up what runs, then close what it was using. */
async function stop({ config, telemetry, pipeline, server, pool, closing }: Running): Promise<void> {
  const { drain_seconds: drainSeconds, drain_delay_seconds: delaySeconds } = config.server;
  const drainMs = drainSeconds * 1_000;
  // What was given up still gets a moment to say so, and nothing that ignores it keeps the agent from ending.
  const lastMs = drainMs + 1_000;
  const preStopDelayMs = delaySeconds * 1_000;
  const drain = createDrain({
    health: telemetry.health,
    preStopDelayMs,
    deadlineMs: preStopDelayMs + 2 * lastMs + flushMs,
    steps: [
      {
        name: 'requests',
        timeoutMs: lastMs + 100,
        announce: () => pipeline.lastAnswers(),
        async run() {
          const giveUp = setTimeout(() => pipeline.abortAll(errors.STOPPING()), drainMs);
          await server.close(lastMs);
          clearTimeout(giveUp);
        },
      },
      { name: 'work', timeoutMs: 1_000, run: () => pool.close() },
      {
        name: 'state',
        run() {
          endOpen();
          emit('agent.state', { from: 'draining', to: 'stopped' });
        },
      },
      { name: 'telemetry', timeoutMs: flushMs, run: () => closing.close() },
    ],
  });
  const { steps } = await drain.start();
  for (const step of steps) if (step.outcome === 'error') throw step.error;
}

/** Milliseconds for the last logs and spans. */
const flushMs = 10_000;

function once<T>(call: () => Promise<T>): () => Promise<T> {
  let called: Promise<T> | undefined;
  return () => (called ??= call());
}
