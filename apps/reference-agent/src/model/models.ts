import type { LlmProvider, PricePort } from '@sage-adk/core';
import type { CheckSpec } from '@sage-adk/health';
import { llmCheck } from '@sage-adk/health/checks';
import { createCircuitBreakers, createRetry } from '@sage-adk/recovery';
import { recoveryFromConfig } from '@sage-adk/recovery/config';
import type { Closing } from '../closing.ts';
import type { AgentConfig } from '../config/schema.ts';
import { errors } from '../errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { AnswerCall } from './answer.ts';
import { type ChainModel, createFallbackCall } from './fallback.ts';
import { createModelCall, type ModelCall } from './model-call.ts';
import { createModelFacts } from './model-facts.ts';
import { openProviders } from './providers.ts';

/** The `llm` block at work. */
export interface Models {
  /** Asks the model, with all that is around it. */
  readonly call: AnswerCall;
  /** Whether it answers, told by the calls that are made anyway. */
  readonly checks: readonly CheckSpec[];
}

export interface ModelsOptions {
  /** In place of the provider that `llm.provider` names. */
  readonly provider: LlmProvider | undefined;
  /** In place of what is known of prices. */
  readonly price: PricePort | undefined;
  readonly limits: Limits;
  readonly closing: Closing;
}

/** Connects the providers, and puts limits, breaker, retry and report around each model. */
export async function createModels(config: AgentConfig, options: ModelsOptions): Promise<Models> {
  const { llm } = config;
  const { limits, closing } = options;
  const providers = await openProviders(llm, (name, headers) => limits.hear(name, headers));
  const first = options.provider ?? providers.get(llm.provider);
  if (first === undefined) throw new TypeError(`There is no provider ${llm.provider}.`);
  const facts = createModelFacts(llm, first.name);
  const price = options.price ?? facts.price;
  const recovery = recoveryFromConfig(config.recovery);
  // Asking a model again has no effect but its price.
  const retry = createRetry({ ...recovery.retry, idempotent: true });
  const breaker = recovery.breaker === false ? undefined : closing.add(createCircuitBreakers(recovery.breaker));
  const callOf = (provider: LlmProvider, model: string): ModelCall => {
    if (limits.countsCost && llm.unknown_price === 'refuse') requirePrice(price, provider.name, model);
    const { maxOutputTokens: most = Number.POSITIVE_INFINITY } = facts.of(provider.name, model);
    const maxOutputTokens = Math.min(llm.max_output_tokens, most);
    return createModelCall({ provider, model, maxOutputTokens, retry, breaker, price, limiter: limits.model });
  };
  const check = llmCheck({
    name: 'llm',
    provider: first.name,
    dependency: `llm.${first.name}`,
    // Something else can answer meanwhile, so the agent stays in service.
    hasFallback: () => recovery.fallback !== false,
  });
  const primary = callOf(first, llm.model);
  const checks = [closing.add(check)];
  if (recovery.fallback === false) return { call: primary, checks };
  const chain: ChainModel[] = [
    {
      ...facts.of(first.name, llm.model),
      name: `${first.name}/${llm.model}`,
      priority: Number.NEGATIVE_INFINITY,
      call: primary,
    },
  ];
  for (const { name, provider: wanted, model, priority } of recovery.fallback.targets) {
    const provider = providers.get(wanted);
    if (provider === undefined) throw new TypeError(`There is no provider ${wanted}.`);
    chain.push({ ...facts.of(wanted, model), name, priority, call: callOf(provider, model) });
  }
  return { call: createFallbackCall(chain, recovery.fallback), checks };
}

/** A budget that nobody can count would be spent without end. */
function requirePrice(price: PricePort, provider: string, model: string): void {
  const usage = { inputTokens: 1, outputTokens: 1 };
  if (price.costNanoUsd({ provider, model, usage }) === undefined) throw errors.PRICE_UNKNOWN({ provider, model });
}
