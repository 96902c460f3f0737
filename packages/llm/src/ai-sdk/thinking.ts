/** What Claude may think: the AI SDK's providers of Claude put it on top of what it may answer. */
import { countOf, memberOf } from '../providers/usage.ts';
import type { AiParams } from './shapes.ts';

/** Output tokens that go to thoughts, at most; 0 where none are put on top. */
export function thinkingOf(modelId: string, { reasoning, providerOptions }: AiParams): number {
  const options = memberOf(providerOptions, 'anthropic');
  const thinking = memberOf(options, 'thinking');
  if (thinking != null)
    return memberOf(thinking, 'type') === 'enabled' ? (countOf(thinking, 'budgetTokens') ?? least) : 0;
  const share = shares[reasoning ?? ''];
  if (share === undefined || memberOf(options, 'effort') != null || !takesBudget.test(modelId)) return 0;
  return Math.max(least, Math.round(share * mostOutput));
}

const least = 1_024;

/** Of the most that a model puts out, as the SDK has it. */
const shares: Readonly<Record<string, number>> = {
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.95,
};

/** Later models decide by themselves, within what they may answer. */
const takesBudget = /claude-(?:(?:opus|sonnet|haiku)-4-(?:[015]\b|20\d{6})|3-7)/;

/** Of those models; of some it is half of that. */
const mostOutput = 64_000;
