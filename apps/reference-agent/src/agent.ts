import { type Clock, emit, endOpen, type LlmProvider, type PricePort, systemClock } from '@sage-adk/core';
import { createDrain } from '@sage-adk/health/drain';
import { eventLoopCheck, memoryCheck, protocolCheck } from '@sage-adk/health/checks';
import { createWorkerPool, type WorkerPool } from '@sage-adk/perf';
import { perfFromConfig } from '@sage-adk/perf/config';
import { createCard } from './a2a/card.ts';
import { cardPath } from './a2a/card-surface.ts';
import { type A2a, createA2a } from './a2a/surfaces.ts';
import { type Closing, createClosing } from './closing.ts';
import type { AgentConfig } from './config/schema.ts';
import { createConversations } from './conversation/conversations.ts';
import { createMemoryStore } from './conversation/memory-store.ts';
import { errors } from './errors.ts';
import { startChecks, storageCheck } from './health-checks.ts';
import { createIdentify } from './http/identify.ts';
import { listen, type Listening } from './http/listen.ts';
import { createPipeline, type Pipeline } from './http/pipeline.ts';
import type { Work } from './http/surface.ts';
import { createLimits } from './limits/limits.ts';
import { withDeadLetters } from './messages/dead-letters.ts';
import { createMessageHandler, type MessageHandler } from './messages/handler.ts';
import { createMessages, messagesPath } from './messages/surface.ts';
import { createModels } from './model/models.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  /** The model. @default the one that `llm.provider` names */
  readonly provider?: LlmProvider;
  /** What models cost. @default what the `llm` block says, then the presets */
  readonly price?: PricePort;
  /** Milliseconds until an answer is given up. @default 300_000 */
  readonly timeoutMs?: number;
  /** What its end goes by: the delay, and the time of each step. @default the system's */
  readonly clock?: Clock;
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
  const { config, provider, price, timeoutMs = 300_000, clock = systemClock, onListening } = options;
  const closing = createClosing();
  try {
    const telemetry = closing.add(await startTelemetry(config));
    const store = closing.add(createMemoryStore({ namespace: 'conversations' }));
    const limits = await createLimits(config, closing);
    const models = await createModels(config, { provider, price, limits, closing });
    const answer = createMessageHandler({ conversations: createConversations({ store }), callModel: models.call });
    const handle = await withDeadLetters(answer, config, closing);
    const pool = createWorkerPool({ name: 'messages', ...perfFromConfig(config.performance).workerPool });

    const server = await listen({ ...config.server, block: 'server' });
    const surfaces = createSurfaces(config, server, handle, workOf(pool));
    const pipeline = createPipeline({
      surfaces,
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
      ...models.checks,
      storageCheck(store),
      ...limits.checks,
      protocolCheck({ server, name: 'protocol.a2a', probe: surfaces.probe }),
      // A slow process is better than none: these tell operators, and take no agent out of service.
      closing.add(eventLoopCheck({ critical: false })),
      memoryCheck({ critical: false }),
    ]);
    return { urls, close: once(() => stop({ config, clock, telemetry, pipeline, server, pool, closing })) };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

function createSurfaces({ agent, server }: AgentConfig, listening: Listening, handle: MessageHandler, work: Work): A2a {
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
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly pipeline: Pipeline;
  readonly server: Listening;
  readonly pool: WorkerPool;
  readonly closing: Closing;
}

/** In this order: say so, wait until nobody sends more, finish or give up what runs, then close what it was using. */
async function stop({ config, clock, telemetry, pipeline, server, pool, closing }: Running): Promise<void> {
  const { drain_seconds: drainSeconds, drain_delay_seconds: delaySeconds } = config.server;
  const drainMs = drainSeconds * 1_000;
  // What was given up still gets a moment to say so, and nothing that ignores it keeps the agent from ending.
  const lastMs = drainMs + 1_000;
  const preStopDelayMs = delaySeconds * 1_000;
  const drain = createDrain({
    health: telemetry.health,
    clock,
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
          // A task may go on without its client.
          await pipeline.idle();
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
