/** What one block says about another. */
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { AgentConfig } from './schema.ts';

/** The names of `rate_limit.per_endpoint`. */
export const endpoints = ['messages', 'a2a'] as const;

export type Endpoint = (typeof endpoints)[number];

/** A limit that could never apply is worse than none, so it is an error. */
export function checkAcross(config: AgentConfig, context: z.core.$RefinementCtx): void {
  const { server, rate_limit: limits, llm, recovery, observability } = config;
  const refuse = (path: PropertyKey[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const { storage, per_endpoint: perEndpoint = {}, tiers = {} } = limits;
  if (storage !== 'memory' && config[storage] === undefined) {
    refuse(['rate_limit', 'storage'], `wanted a block ${storage} with its url as well`);
  }
  const { dlq, fallback } = recovery;
  if (dlq.enabled && dlq.storage !== 'memory' && config[dlq.storage] === undefined) {
    refuse(['recovery', 'dlq', 'storage'], `wanted a block ${dlq.storage} with its url as well`);
  }
  const { usage } = observability.metrics;
  if (usage.enabled && usage.storage !== 'memory' && config[usage.storage] === undefined) {
    refuse(['observability', 'metrics', 'usage', 'storage'], `wanted a block ${usage.storage} with its url as well`);
  }
  for (const name of Object.keys(perEndpoint)) {
    if ((endpoints as readonly string[]).includes(name)) continue;
    refuse(['rate_limit', 'per_endpoint', name], `there is no such endpoint; wanted ${endpoints.join(' or ')}`);
  }
  const known = ['local', ...Object.keys(llm.providers)];
  const refuseUnknown = (path: PropertyKey[], name: string): void => {
    if (known.includes(name)) return;
    const meant = nearest(name, known);
    refuse(path, `wanted ${known.join(' or ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
  };
  refuseUnknown(['llm', 'provider'], llm.provider);
  if (Object.hasOwn(llm.providers, 'local'))
    refuse(['llm', 'providers', 'local'], 'wanted another name; local is the scripted model');
  fallback.llm_chain.forEach(({ provider }, index) => {
    refuseUnknown(['recovery', 'fallback', 'llm_chain', index, 'provider'], provider);
  });
  server.api_keys.forEach((key, index, keys) => {
    const { id, tier, tenant } = key;
    if (tier !== undefined && !Object.hasOwn(tiers, tier)) {
      refuse(['server', 'api_keys', index, 'tier'], 'wanted a tier that stands in rate_limit.tiers');
    }
    // Each tier counts for itself: a second key must not be a second quota.
    const first = keys.find((other) => other.id === id) ?? key;
    if (first.tier === tier && first.tenant === tenant) return;
    refuse(['server', 'api_keys', index], `wanted the tier and the tenant of the other key of "${id}"`);
  });
}
