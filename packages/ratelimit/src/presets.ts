/** Published limits of model providers, as rules. What your own account has is in its settings; write that down where it differs. */
import type { Rule } from './rule.ts';

/** Requests per minute. OpenAI: GPT-3.5-turbo; Anthropic and Gemini: their free tiers. */
export const providerRequestsPerMinute = { openai: 3_500, anthropic: 5, gemini: 60 } as const;

/** Providers that there is a preset of, by the names that subjects have. */
export type PresetProvider = keyof typeof providerRequestsPerMinute;

/**
 * The rules of a provider's preset: for calls whose subject names that provider, all users together, never more than the limit in any minute.
 *
 * @example
 * ```ts
 * const limiter = createRateLimiter({ rules: [...providerPreset('openai'), ...providerPreset('anthropic')] });
 * ```
 */
export function providerPreset(provider: PresetProvider): readonly Rule[] {
  return [
    {
      name: `${provider}_requests_per_minute`,
      scope: 'provider',
      when: { provider },
      limit: providerRequestsPerMinute[provider],
      per: 'minute',
      strategy: 'sliding-window',
    },
  ];
}
