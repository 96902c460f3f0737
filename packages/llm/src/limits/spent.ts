import type { LimitCosts, PricePort, Usage } from '@sage-adk/core';
import { partialUsage } from '../body/partial-usage.ts';
import type { Ending, Progress } from '../body/progress.ts';
import type { LlmCall } from '../call.ts';
import { costOfAnswer } from '../price/cost.ts';
import { estimateOutput } from '../request/estimate.ts';
import { withCacheWrite } from './cache-write.ts';
import type { CallEstimate } from './estimate-call.ts';

/**
 * What an answer used. A failure of the provider is not billed. Where an answer ended early or tells no usage, it is an estimate that is rather too
 * high: of a stream by what came of it; of an answer in one piece all of it, since the provider makes it before it sends it.
 */
export function spentBy(call: LlmCall, progress: Progress, ending: Ending, granted: CallEstimate): readonly Usage[] {
  if (progress.refusal !== undefined) return [];
  const { usage } = progress.facts();
  return [(ending.kind === 'done' && usage) || guess(call, progress, ending, granted)];
}

const none: readonly Usage[] = [];

/**
 * What tries used at most that came to nothing: of a stream the prompt, of an answer in one piece all of it. Whether the prompt was written to the cache nobody
 * said: whichever costs more.
 */
export function lostTries(
  call: LlmCall,
  count: number,
  estimate: CallEstimate,
  price: PricePort | undefined,
): readonly Usage[] {
  if (count === 0) return none;
  const { inputTokens } = estimate;
  const plain: Usage = { inputTokens, outputTokens: call.stream ? 0 : estimate.outputTokens };
  const writing = withCacheWrite(call, plain) ?? plain;
  const [cost = 0n, written = 0n] = [plain, writing].map((usage) => costOfAnswer(price, call, undefined, usage));
  return Array.from({ length: count }, () => (written > cost ? writing : plain));
}

/** The sum of what one request used, in the units of the limits. @param saidModel that the answer names. */
export function costsOf(
  usages: readonly Usage[],
  call: LlmCall,
  saidModel: string | undefined,
  price: PricePort | undefined,
): LimitCosts {
  const only = usages.length === 1 ? usages[0] : undefined;
  if (only !== undefined) {
    return limitCosts(only.inputTokens, only.outputTokens, costOfAnswer(price, call, saidModel, only));
  }
  let costNanoUsd: bigint | undefined = price === undefined ? undefined : 0n;
  let inputTokens = 0;
  let outputTokens = 0;
  for (const usage of usages) {
    inputTokens += usage.inputTokens;
    outputTokens += usage.outputTokens;
    if (costNanoUsd === undefined) continue;
    const cost = costOfAnswer(price, call, saidModel, usage);
    costNanoUsd = cost === undefined ? undefined : costNanoUsd + cost;
  }
  return limitCosts(inputTokens, outputTokens, costNanoUsd);
}

/** Of one request. */
export function limitCosts(inputTokens: number, outputTokens: number, costNanoUsd: bigint | undefined): LimitCosts {
  const tokens = inputTokens + outputTokens;
  if (costNanoUsd === undefined) return { requests: 1, tokens, inputTokens, outputTokens };
  return { requests: 1, tokens, inputTokens, outputTokens, costNanoUsd };
}

function guess(call: LlmCall, progress: Progress, ending: Ending, estimate: CallEstimate): Usage {
  const { inputTokens, outputTokens: most } = estimate;
  const { contents, contentBytes } = progress;
  // Made in the background, it goes on whether anybody reads it or not.
  if (call.goesOn?.() === true) return { inputTokens, outputTokens: most };
  if (call.stream) {
    const partial = partialUsage(progress, call) ?? {
      inputTokens,
      outputTokens: estimateOutput(contents, contentBytes),
    };
    return {
      ...partial,
      outputTokens: Math.min(partial.outputTokens, Math.max(most, progress.facts().usage?.outputTokens ?? 0)),
    };
  }
  const said = progress.facts().usage;
  if (said !== undefined) return said;
  // Without an output to speak of, the body is no measure of it.
  const outputTokens = ending.kind === 'done' ? Math.min(most, estimateOutput(0, contentBytes)) : most;
  return { inputTokens, outputTokens };
}
