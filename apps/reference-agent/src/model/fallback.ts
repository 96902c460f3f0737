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
 * again by the next model.
 */
export function createFallbackCall(models: readonly ChainModel[], plan: FallbackPlan): AnswerCall {
  const earlier = plan.cachedResponses ? createEarlierAnswers() : undefined;
  const onCut = plan.onCut === 'restart' ? { restartWith: restart } : 'throw';
  const chain = createFallbackChain<Asked, readonly LlmEvent[], AnswerEvent>({
    name: 'model',
    targets: models.map(targetOf),
    order: plan.order,
    responses: tiersOf(plan, earlier),
    chunksOf: (events) => events,
    classifier,
  });
  async function* whole(asked: Asked): AsyncGenerator<AnswerEvent> {
    const { turns, caller } = asked;
    const { value, tier } = await chain.execute(asked, { signal: caller.signal });
    if (isOfModel(tier) && isComplete(value.at(-1))) earlier?.keep(turns, caller.subject, value.reduce(textAfter, ''));
    yield* value;
  }
  async function* streamed(asked: Asked): AsyncGenerator<AnswerEvent> {
    const { turns, caller } = asked;
    const stream = chain.stream(asked, { signal: caller.signal, onCut, isVisible: ({ type }) => type !== 'finish' });
    let text = '';
    for await (const event of stream) {
      if (earlier !== undefined) text = textAfter(text, event);
      if (isOfModel(stream.served?.tier) && isComplete(event)) earlier?.keep(turns, caller.subject, text);
      yield event;
    }
  }
  return (turns, caller) => (caller.whole === true ? whole : streamed)({ turns, caller });
}

const restart: Restart = { type: 'restart' };

function isOfModel(tier: Served['tier'] | undefined): boolean {
  return tier === 'primary' || tier === 'fallback';
}

function isComplete(event: AnswerEvent | undefined): boolean {
  return event?.type === 'finish' && event.reason === 'stop';
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
