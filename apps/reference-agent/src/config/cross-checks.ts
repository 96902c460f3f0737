/** What one block says about another. */
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { oneOf } from './wording.ts';
import { localModel } from './llm.ts';
import type { AgentConfig } from './schema.ts';

/** The names of `rate_limit.per_endpoint`. */
export const endpoints = ['messages', 'a2a'] as const;

export type Endpoint = (typeof endpoints)[number];

/** A limit that could never apply is worse than none, so it is an error. */
export function checkAcross(config: AgentConfig, context: z.core.$RefinementCtx): void {
  const { server, rate_limit: limits, llm, recovery } = config;
  const refuse: Refuse = (path, message) => {
    context.addIssue({ code: 'custom', path, message });
  };
  const { per_endpoint: perEndpoint = {}, tiers = {} } = limits;
  const { fallback } = recovery;
  for (const [path, storage] of storagesOf(config)) {
    if (storage !== 'memory' && config[storage] === undefined)
      refuse([...path, 'storage'], `wanted a block ${storage} with its url as well`);
  }
  for (const name of Object.keys(perEndpoint)) {
    if ((endpoints as readonly string[]).includes(name)) continue;
    refuse(['rate_limit', 'per_endpoint', name], `there is no such endpoint; wanted ${endpoints.join(' or ')}`);
  }
  const known = ['local', ...Object.keys(llm.providers)];
  const refuseUnknown = (path: PropertyKey[], name: string): void => {
    if (known.includes(name)) return;
    refuse(
      path,
      `${oneOf(known, name)}${nearest(name, known) === undefined ? '; another needs a block below llm.providers' : ''}`,
    );
  };
  refuseUnknown(['llm', 'provider'], llm.provider);
  if (Object.hasOwn(llm.providers, 'local'))
    refuse(['llm', 'providers', 'local'], 'wanted another name; local is the scripted model');
  if (llm.provider !== 'local' && llm.model === localModel && known.includes(llm.provider))
    refuse(['llm', 'model'], `wanted the name of a model that "${llm.provider}" has`);
  // An application may bring a provider of its own, so only a slip can be told.
  for (const name of Object.keys(limits.llm_providers ?? {})) {
    const meant = known.includes(name) ? undefined : nearest(name, known);
    if (meant !== undefined)
      refuse(['rate_limit', 'llm_providers', name], `there is no such provider; did you mean ${meant}?`);
  }
  fallback.llm_chain.forEach(({ provider }, index) => {
    refuseUnknown(['recovery', 'fallback', 'llm_chain', index, 'provider'], provider);
  });
  checkKeys(server.api_keys, tiers, refuse);
}

type Refuse = (path: PropertyKey[], message: string) => void;

function checkKeys(
  keys: AgentConfig['server']['api_keys'],
  tiers: NonNullable<AgentConfig['rate_limit']['tiers']>,
  refuse: Refuse,
): void {
  keys.forEach((key, index) => {
    const { id, sha256, tier, tenant } = key;
    const owner = keys.find((other) => other.sha256 === sha256) ?? key;
    if (owner.id !== id)
      refuse(['server', 'api_keys', index, 'sha256'], `wanted another key; this one is of "${owner.id}"`);
    if (tier !== undefined && !Object.hasOwn(tiers, tier)) {
      refuse(['server', 'api_keys', index, 'tier'], 'wanted a tier that stands in rate_limit.tiers');
    }
    // Each tier counts for itself: a second key must not be a second quota.
    const first = keys.find((other) => other.id === id) ?? key;
    if (first.tier === tier && first.tenant === tenant) return;
    refuse(['server', 'api_keys', index], `wanted the tier and the tenant of the other key of "${id}"`);
  });
}

type Storage = AgentConfig['rate_limit']['storage'];

/** What is kept where, by the blocks that say so. */
function storagesOf(config: AgentConfig): readonly (readonly [path: readonly string[], storage: Storage])[] {
  const { dlq } = config.recovery;
  const { usage } = config.observability.metrics;
  return [
    [['rate_limit'], config.rate_limit.storage],
    [['recovery', 'dlq'], dlq.enabled ? dlq.storage : 'memory'],
    [['observability', 'metrics', 'usage'], usage.enabled ? usage.storage : 'memory'],
  ];
}
