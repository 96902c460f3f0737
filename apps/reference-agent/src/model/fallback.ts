/** The `fallback` block at work: other models where the first one fails, then answers without a model. */
import type { LlmEvent, LlmMessage } from '@sage-adk/core';
import { createClassifier } from '@sage-adk/recovery';
import type { FallbackPlan } from '@sage-adk/recovery/config';
import {
  cachedResponses,
  createFallbackChain,
  patternResponses,
  type ResponseTier,
  type Served,
  staticResponse,
  type Target,
} from '@sage-adk/recovery/fallback';
import { decisionOf } from '../limits/refusal.ts';
import { type AnswerCall, type AnswerEvent, fallbackModel, type Restart, textAfter } from './answer.ts';
import { createEarlierAnswers, type EarlierAnswers } from './earlier-answers.ts';
import type { ModelCall, ModelCaller } from './model-call.ts';
import type { Facts } from './model-facts.ts';

export interface Asked {
  readonly turns: readonly LlmMessage[];
  readonly caller: ModelCaller;
}

/** A model of the chain. */
export interface ChainModel extends Facts {
  /** `<provider>/<model>`. */
  readonly name: string;
  /** Lower comes first. */
  readonly priority: number;
  readonly call: ModelCall;
}

/**
 * Models change silently until a reader sees something. What breaks off after that is a `SAGE_FALLBACK_PARTIAL_STREAM`, or is told to be forgotten and begun
 * again by the next model: where the plan says so, and always where nobody sees an answer before it is whole.
 */
export function createFallbackCall(models: readonly ChainModel[], plan: FallbackPlan): AnswerCall {
  const earlier = plan.cachedResponses ? createEarlierAnswers() : undefined;
  const chain = createFallbackChain<Asked, readonly LlmEvent[], AnswerEvent>({
    name: 'model',
    targets: models.map(targetOf),
    order: plan.order,
    responses: tiersOf(plan, earlier),
    chunksOf: (events) => events,
    classifier,
  });
  return async function* answer(turns, caller) {
    const { signal, subject, whole = false } = caller;
    const onCut = whole || plan.onCut === 'restart' ? ({ restartWith: restart } as const) : 'throw';
    const stream = chain.stream({ turns, caller }, { signal, onCut, isVisible: ({ type }) => type !== 'finish' });
    let text = '';
    for await (const event of stream) {
      if (earlier !== undefined) text = textAfter(text, event);
      if (isOfModel(stream.served) && isComplete(event)) earlier?.keep(turns, subject, text);
      yield event;
    }
  };
}

const restart: Restart = { type: 'restart' };

function isOfModel(served: Served | undefined): boolean {
  return served?.tier === 'primary' || served?.tier === 'fallback';
}

function isComplete(event: AnswerEvent): boolean {
  return event.type === 'finish' && event.reason === 'stop';
}

/** Another model has the same limits of the user, so it is not asked; only a limit of the provider is of that provider alone. */
const classifier = createClassifier({
  rules: [
    (error) => {
      const decision = decisionOf(error);
      if (decision === undefined) return undefined;
      return decision.violated.every(({ scope }) => scope === 'provider') ? 'rejected' : 'invalid';
    },
  ],
});

function targetOf({ call, ...facts }: ChainModel): Target<Asked, readonly LlmEvent[], AnswerEvent> {
  const stream = ({ turns, caller }: Asked, { signal }: { readonly signal: AbortSignal }) =>
    call(turns, { ...caller, signal });
  return { ...facts, stream, call: (asked, context) => gather(stream(asked, context)) };
}

async function gather(events: AsyncIterable<LlmEvent>): Promise<readonly LlmEvent[]> {
  const gathered: LlmEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

function tiersOf(
  plan: FallbackPlan,
  earlier: EarlierAnswers | undefined,
): readonly ResponseTier<Asked, readonly LlmEvent[]>[] {
  const { patterns, defaultMessage } = plan;
  const tiers: ResponseTier<Asked, readonly LlmEvent[]>[] = [];
  if (earlier !== undefined) {
    tiers.push(
      cachedResponses(async ({ turns, caller }) => {
        const text = earlier.find(turns, caller.subject);
        return text === undefined ? undefined : { value: eventsOf(text, 'cached'), stale: true };
      }),
    );
  }
  if (patterns.length > 0) {
    const rules = patterns.map(({ pattern, answer }) => ({ pattern, answer: eventsOf(answer, 'pattern') }));
    tiers.push(patternResponses(({ turns }) => turns.at(-1)?.content ?? '', rules));
  }
  if (defaultMessage !== undefined) tiers.push(staticResponse(eventsOf(defaultMessage, 'static')));
  return tiers;
}

function eventsOf(text: string, tier: string): readonly LlmEvent[] {
  const usage = { inputTokens: 0, outputTokens: 0 };
  return [
    { type: 'text', text },
    { type: 'finish', reason: 'stop', usage, model: fallbackModel + tier },
  ];
}
