/** The `dlq` block at work: messages that failed are put aside, and tried again. */
import { current, emit, type LimitSubject, run, verdictOf } from '@sage-adk/core';
import { createClassifier } from '@sage-adk/recovery';
import { recoveryFromConfig } from '@sage-adk/recovery/config';
import {
  createMemoryDeadLetters,
  type DeadLetterStore,
  startRedrive,
  watchDeadLetters,
} from '@sage-adk/recovery/dead-letters';
import { createPostgresDeadLetters, migrateDeadLetters } from '@sage-adk/recovery/dead-letters/postgres';
import { createRedisDeadLetters } from '@sage-adk/recovery/dead-letters/redis';
import type { Closing } from '../closing.ts';
import type { AgentConfig } from '../config/schema.ts';
import { secretsIn } from '../secrets.ts';
import { connectPostgres } from '../storage/postgres.ts';
import { connectRedis } from '../storage/redis.ts';
import type { AnswerEvent } from '../model/answer.ts';
import type { AgentMessage, MessageHandler } from './handler.ts';

/** Answers by `handle`; a message for which that failed is kept in a store, unless a limit refused it or nobody waits for it any more. */
export async function withDeadLetters(
  handle: MessageHandler,
  config: AgentConfig,
  closing: Closing,
): Promise<MessageHandler> {
  const { deadLetters } = recoveryFromConfig(config.recovery);
  if (deadLetters === false) return handle;
  const store = closing.add(await openStore(config, deadLetters, closing));
  closing.add(watchDeadLetters(store));
  if (deadLetters.redrive !== false) {
    closing.add(
      startRedrive(store, ({ payload }, { signal }) => again(handle, payload as Kept, signal), deadLetters.redrive),
    );
  }
  return (message) => keepFailed(handle, message, store);
}

/** What of a message is kept: enough to answer it into its conversation. */
interface Kept extends Pick<AgentMessage, 'text' | 'messageId' | 'contextId' | 'userId'> {
  readonly subject: LimitSubject;
}

async function* keepFailed(
  handle: MessageHandler,
  message: AgentMessage,
  store: DeadLetterStore,
): AsyncGenerator<AnswerEvent> {
  try {
    yield* handle(message);
  } catch (error) {
    const { outcome } = verdictOf(error, message.signal);
    if (outcome === 'error' || outcome === 'timeout') await keep(store, message, error);
    throw error;
  }
}

async function keep(store: DeadLetterStore, message: AgentMessage, error: unknown): Promise<void> {
  const { text, messageId, contextId, userId, subject } = message;
  const payload: Kept = { text, messageId, contextId, userId, subject };
  const requestId = current()?.requestId;
  // What failed is in the cause; the error itself is what the client was told.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  try {
    const headers = requestId === undefined ? {} : { 'x-request-id': requestId };
    const dedupeKey = JSON.stringify([userId, messageId]);
    await store.put({ source: 'messages', dedupeKey, payload, headers, error: cause });
  } catch (failure) {
    emit('error.critical', { source: 'dlq', reason: 'put_failed', message: String(failure) });
  }
}

/** The client is gone: the answer is in its conversation when it asks again. */
async function again(handle: MessageHandler, kept: Kept, signal: AbortSignal): Promise<void> {
  const events = run({ signal, userId: kept.userId }, () =>
    handle({ ...kept, signal, meter: { llmMs: 0 }, whole: true }),
  );
  for await (const _ of events);
}

type Configured = Exclude<ReturnType<typeof recoveryFromConfig>['deadLetters'], false>;

async function openStore(
  config: AgentConfig,
  { storage, store }: Configured,
  closing: Closing,
): Promise<DeadLetterStore> {
  const { redis, postgres } = config;
  const classifier = createClassifier();
  const classify = (error: unknown) => classifier.classify(error);
  const options = { ...store, queue: 'messages', classify, secrets: await secretsIn(config) };
  if (storage === 'redis' && redis !== undefined) {
    const { client } = closing.add(await connectRedis(redis));
    // A message that is lost is worse than an error that comes late.
    return createRedisDeadLetters({ ...options, client, prefix: `${redis.prefix}:dlq`, deadlineMs: 5_000 });
  }
  if (storage === 'postgres' && postgres !== undefined) {
    const at = postgres.schema === undefined ? {} : { schema: postgres.schema };
    const { client } = closing.add(
      await connectPostgres(postgres, (made) => migrateDeadLetters({ client: made, ...at })),
    );
    return createPostgresDeadLetters({ ...options, client, ...at });
  }
  return createMemoryDeadLetters(options);
}
