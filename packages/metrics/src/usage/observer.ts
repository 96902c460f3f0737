import type { Context, Observer, Outcome } from '@sage-adk/core';
import { hasUnknownCost } from '../observers/unknown-cost.ts';
import { isCost, isCount, storable, type UsageCounts, type UsageKey } from './row.ts';

/** Receives what an operation used. */
export type Use = (key: UsageKey, counts: Partial<UsageCounts>) => void;

/** Watches requests to the agent and calls of models. Who it was comes from the context, which knows verified users only. */
export function createUsageObserver(use: Use): Observer {
  return {
    name: 'usage',
    operations: {
      'agent.request': {
        end({ context, outcome }) {
          use({ ...whose(context), session: sessionOf(context) }, { messages: 1, failedMessages: failed(outcome) });
        },
      },
      'llm.call': {
        end(record) {
          const { start, attributes, context, outcome } = record;
          const { costNanoUsd } = attributes;
          const isKnown = isCost(costNanoUsd);
          const who = whose(context);
          use(
            { ...who, provider: storable(start.provider), model: storable(start.model) },
            {
              calls: 1,
              failedCalls: failed(outcome),
              inputTokens: countOf(attributes.inputTokens),
              outputTokens: countOf(attributes.outputTokens),
              cachedInputTokens: countOf(attributes.cachedInputTokens),
              cacheWriteTokens: countOf(attributes.cacheWriteTokens),
              reasoningTokens: countOf(attributes.reasoningTokens),
              costNanoUsd: isKnown ? costNanoUsd : 0n,
              unknownCostCalls: !isKnown && (costNanoUsd !== undefined || hasUnknownCost(record)) ? 1 : 0,
            },
          );
          // A session is often known only after its request began; this says that it was there.
          const session = sessionOf(context);
          if (session !== '') use({ ...who, session }, {});
        },
      },
    },
  };
}

const nobody: UsageKey = { tenant: '', user: '', agent: '', session: '', provider: '', model: '' };

/** An address is no user. */
function whose(context: Context | undefined): UsageKey {
  if (context === undefined) return nobody;
  const { tenant = '', userId = '', agentId = '', principal } = context;
  const user = principal?.kind === 'address' ? '' : userId;
  return { ...nobody, tenant: storable(tenant), user: storable(user), agent: storable(agentId) };
}

function sessionOf(context: Context | undefined): string {
  return storable(context?.sessionId ?? '');
}

/** What is no count is none: one odd number must not keep the store from all others. */
function countOf(value: unknown): number {
  return isCount(value) ? value : 0;
}

function failed(outcome: Outcome): number {
  return outcome === 'error' || outcome === 'timeout' ? 1 : 0;
}
