/** A call that is made through the AI SDK, for the steps around it. */
import { current, requireNumber, requireWhole } from '@sage-adk/core';
import { Exchange } from '../body/exchange.ts';
import type { FailureKind } from '../body/exchange-options.ts';
import { endedProgress, type Progress, type Refusal } from '../body/progress.ts';
import { type LlmAnswer, type LlmCall, openMark } from '../call.ts';
import { callerIn } from '../caller.ts';
import { denialWithin, forgetDenial } from '../local/local-answer.ts';
import { createPipeline, type LlmPolicies } from '../pipeline.ts';
import { anthropicMessages } from '../providers/anthropic-messages.ts';
import { openaiResponses } from '../providers/openai-responses.ts';
import { estimateText } from '../request/estimate.ts';
import { brokenOff, failedBeforeContent, sent } from '../sending.ts';
import { finishReasonOf, usageOf } from './answer-facts.ts';
import {
  asLast,
  failedProgress,
  failureOf,
  isLast,
  mayFollow,
  refusalIn,
  refusalInStream,
  sdkDelayMs,
} from './failure.ts';
import { namesOf } from './names.ts';
import { PartReader } from './part-reader.ts';
import type { AiChanges, AiGenerated, AiParams, AiPart, AiStreamed } from './shapes.ts';
import { thinkingOf } from './thinking.ts';
import { textOf } from './written.ts';

/** What of the policies serves a call of the AI SDK. A cache is for `wrapFetch`: it keeps the bytes of an answer. */
export type AiPolicies = Omit<LlmPolicies, 'cache'>;

/** Either kind of answer. */
type AiAnswer = AiGenerated | AiStreamed;

export interface AiRequest<A extends AiAnswer> {
  readonly model: { readonly provider: string; readonly modelId: string };
  readonly params: AiParams;
  readonly stream: boolean;
  /** What tries of the same call have in common. @default all that is asked */
  readonly callId?: string;
  /** Asks the model. */
  ask(changes: AiChanges): PromiseLike<A>;
}

interface AiCall extends LlmCall {
  readonly request: AiRequest<AiAnswer>;
  readonly text: () => string;
  readonly thinkingTokens: number;
}

/** What came of it. An error that a client may follow by another try is an answer to the steps around. */
type Outcome = { readonly answer: AiAnswer } | { readonly error: unknown };

export interface AiClientOptions {
  /** Tries that the SDK makes by itself after the first, as it was told: after the last one, a call that failed is over. @default 2 */
  readonly maxRetries?: number;
}

/** Makes calls with the steps around them. Answers and errors are those of the model. */
export function createAiBoundary(
  policies: AiPolicies,
  { maxRetries = 2 }: AiClientOptions,
): <A extends AiAnswer>(request: AiRequest<A>) => Promise<A> {
  const { inputMargin } = policies;
  if (inputMargin !== undefined) requireNumber('inputMargin', inputMargin, 0);
  requireWhole('maxRetries', maxRetries, 0);
  const call = createPipeline<AiCall, Outcome>(policies, {
    send,
    // A lost connection is no answer, but was tried as often as that helps all the same.
    ...(policies.retry !== undefined && {
      instead: (error: unknown): never => {
        throw asLast(error);
      },
    }),
    asLast: ({ result, progress }) => ({
      result: 'error' in result ? { error: asLast(result.error) } : result,
      progress,
    }),
    client: {
      triesBefore: () => 0,
      sameAs: ({ request, text }) => request.callId ?? text(),
      // The SDK tells nothing of its tries, but when it makes them is certain.
      isNext: ({ request }, { tries, waitedMs, toldMs }) =>
        request.callId !== undefined || waitedMs >= sdkDelayMs(tries, toldMs) - timerSlackMs,
      longestWaitMs: (tries) => (tries > maxRetries ? undefined : sdkDelayMs(tries)),
    },
    maxOutputOf: () => undefined,
  });
  return async <A extends AiAnswer>(request: AiRequest<A>) => {
    const result = await call(toAiCall(request, policies));
    if ('error' in result) throw result.error;
    // It is what `ask` answered, with another stream in it at most.
    return result.answer as A;
  };
}

/** Timers of Node may fire a little early. */
const timerSlackMs = 5;

function toAiCall(request: AiRequest<AiAnswer>, { provider: named, inputMargin }: AiPolicies): AiCall {
  const { model, params, stream } = request;
  const { provider, api } = namesOf(model.provider);
  const isClaude = /anthropic|claude/.test(`${model.provider} ${model.modelId}`);
  const margin = inputMargin ?? (isClaude ? anthropicMessages.request.tokenMargin : undefined);
  let written: string | undefined;
  const text = (): string => (written ??= textOf(model.modelId, params));
  const thinkingTokens = thinkingOf(model.modelId, params);
  const caller = mayChange(request) ? callerIn(current(), params.abortSignal) : undefined;
  return {
    request,
    text,
    provider: named ?? provider,
    api,
    model: model.modelId,
    stream,
    signal: caller === undefined ? params.abortSignal : caller.signal,
    caller,
    attemptSignal: caller?.signal,
    outer: openMark(),
    estimateInput: () => estimateText(text(), margin),
    mayWriteCache: () => provider !== 'anthropic' || /cache_?control/i.test(text()),
    mayWriteLongCache: () => text().includes('"1h"'),
    maxOutputTokens: params.maxOutputTokens && params.maxOutputTokens + thinkingTokens,
    thinkingTokens,
    leastOutputTokens: thinkingTokens + (api === openaiResponses.name ? leastOfResponses : 1),
    choices: 1,
    repeatable: true,
  };
}

const { leastOutputTokens: leastOfResponses = 1 } = openaiResponses.request;

async function send(call: AiCall): Promise<LlmAnswer<Outcome>> {
  let answer: AiAnswer;
  try {
    answer = await sent(call, ask, (_call, made) => made);
  } catch (error) {
    return refused(call, error);
  }
  if ('stream' in answer) return streamed(call, answer);
  call.watch?.ended();
  return generated(answer);
}

function ask(call: AiCall): PromiseLike<AiAnswer> {
  const mark = openMark();
  if (mark !== undefined) forgetDenial(mark);
  return call.request.ask(changesOf(call));
}

/** What the steps decided, where it is not what was asked. */
function changesOf({ maxOutputTokens, thinkingTokens, attemptSignal, request: { params } }: AiCall): AiChanges {
  const most = maxOutputTokens && Math.max(1, maxOutputTokens - thinkingTokens);
  return {
    ...(most !== undefined && most !== params.maxOutputTokens && { maxOutputTokens: most }),
    ...(attemptSignal !== undefined && { abortSignal: attemptSignal }),
  };
}

function refused(call: AiCall, error: unknown): LlmAnswer<Outcome> {
  const mark = openMark();
  const denial = mark && denialWithin(mark);
  if (denial !== undefined) throw denial;
  const refusal = refusalIn(error);
  if (refusal === undefined) throw error;
  if (mayChange(call.request) && isLast(error))
    return { result: { error: asLast(error) }, progress: endedProgress(refusal) };
  return failed(error, refusal);
}

/** Over at once where the SDK will not try again. */
function failed(error: unknown, refusal: Refusal): LlmAnswer<Outcome> {
  return { result: { error }, progress: mayFollow(error) ? failedProgress(refusal) : endedProgress(refusal) };
}

function generated(answer: AiGenerated): LlmAnswer<Outcome> {
  const progress: Progress = {
    ...endedProgress(),
    contentBytes: Buffer.byteLength(JSON.stringify(answer.content) ?? ''),
    facts: () => ({
      usage: usageOf(answer.usage),
      model: answer.response?.modelId,
      finishReason: finishReasonOf(answer.finishReason),
    }),
  };
  return { result: { answer }, progress };
}

async function streamed(call: AiCall, answer: AiStreamed): Promise<LlmAnswer<Outcome>> {
  const reader = new PartReader<AiPart>();
  const { signal, caller, watch } = call;
  const failure = (kind: FailureKind): unknown =>
    kind === 'problem' ? failureOf(reader.problem?.error, call.provider) : brokenOff(kind, call);
  const exchange = new Exchange({ body: answer.stream, reader, signal, caller, watch, failure });
  const isEnough = (): boolean => exchange.ahead.length >= mostPartsAhead;
  if (mayChange(call.request) && (await failedBeforeContent(call, exchange, reader, isEnough))) {
    const error = reader.problem?.error;
    return failed(error, refusalInStream(error));
  }
  return { result: { answer: { ...answer, stream: exchange.relay() as ReadableStream<AiPart> } }, progress: exchange };
}

/** Telemetry, which alone has an id, only looks on. */
function mayChange({ callId }: AiRequest<AiAnswer>): boolean {
  return callId === undefined;
}

/** Parts that come ahead of the first content are a handful. */
const mostPartsAhead = 1_000;
