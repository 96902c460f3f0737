// A provider in memory, and the policies of a production agent around it: limiter, observers and stall watchdog are the real ones.
import type { BreakerPolicy, RetryPolicy } from '@sage-adk/core';
import { type AnswerCache, createPriceTable, type LlmPolicies } from '@sage-adk/llm';
import { type Backend, createLogger, observeLogging } from '@sage-adk/logging';
import { createMetrics } from '@sage-adk/metrics';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';

const encoder = new TextEncoder();

/** A prompt with which the body of a request is 4 KB. */
export const prompt = 'What time is it in Seoul, and what is the weather like? '.repeat(70);

const usage = { prompt_tokens: 1_117, completion_tokens: 46, total_tokens: 1_163 };
const about = { id: 'chatcmpl-1', created: 1_741_569_952, model: 'gpt-4.1-2025-04-14' };

const answer = encoder.encode(
  JSON.stringify({
    ...about,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: 'It is noon. '.repeat(310) }, finish_reason: 'stop' }],
    usage,
  }),
);

/** Answers with 4 KB of JSON. */
export const answerWhole = async (): Promise<Response> => {
  await turn();
  return responseOf([answer], 'application/json');
};

/** What comes over a connection comes in a turn of its own, and between turns the engine lets go of what it held for the last one. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Answers with so many pieces, each in a chunk of its own, as they come over a connection. */
export function answerInPieces(pieces: number): typeof fetch {
  const event = (value: object): Uint8Array =>
    encoder.encode(`data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', ...value })}\n\n`);
  const piece = event({ choices: [{ index: 0, delta: { content: ' noon' }, finish_reason: null }] });
  const chunks = [
    event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
    ...Array.from({ length: pieces }, () => piece),
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  ];
  const told = [...chunks, event({ choices: [], usage }), encoder.encode('data: [DONE]\n\n')];
  const untold = [...chunks, encoder.encode('data: [DONE]\n\n')];
  return async (_input, init) => {
    await turn();
    const isAsked = typeof init?.body === 'string' && init.body.includes('include_usage');
    return responseOf(isAsked ? told : untold, 'text/event-stream');
  };
}

function responseOf(chunks: readonly Uint8Array[], type: string): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[at++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': type } });
}

/** Starts the observers, and gives the policies. */
export function production(isObserved = true): LlmPolicies {
  if (isObserved) createMetrics({ runtime: false });
  if (isObserved) observeLogging(createLogger({ level: 'INFO', backend: nowhere }));
  const limiter = createRateLimiter({
    rules: [
      { name: 'calls', scope: 'user', limit: 1e9, per: 'minute' },
      { name: 'tokens', scope: 'provider', unit: 'tokens', limit: 1e12, per: 'minute' },
      { name: 'budget', scope: 'global', unit: 'cost', limit: 1e15, per: 'day' },
    ],
  });
  return {
    limiter: limiterPolicy(limiter),
    subject: ({ provider, model }) => ({ user: 'user-1', provider, model }),
    price: createPriceTable({ prices: { openai: { 'gpt-4.1': { input: 2, output: 8 } } } }),
    stall: { firstContentMs: 30_000, betweenContentsMs: 15_000, totalMs: 120_000 },
    breaker,
    retry,
    cache,
  };
}

// Lines are made, and written nowhere: what a disk costs is no part of this.
const nowhere: Backend = { write() {}, flush: async () => {}, close: async () => {} };

// As little as a breaker, a retry and a cache can do: what they cost is measured where they are.
const permit = { succeed() {}, fail() {}, release() {} };
const breaker: BreakerPolicy = { tryAcquire: () => permit };
const { signal } = new AbortController();
const retry: RetryPolicy = { execute: (call, options) => call({ attempt: 1, signal: options?.signal ?? signal }) };
const cache: AnswerCache = { wrap: async (_input, call) => ({ value: await call(), source: 'call' }) };
