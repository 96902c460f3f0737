/** The names by which presets know providers are those that the boundary gives its calls: the two packages know nothing of each other. */
import { expect, test } from '@jest/globals';
import { wrapFetch } from '@sage-adk/llm';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';
import { type PresetProvider, providerPreset, providerRequestsPerMinute } from '@sage-adk/ratelimit/presets';

const calls: Readonly<Record<PresetProvider, readonly [path: string, body: object]>> = {
  openai: ['/v1/chat/completions', { model: 'gpt-4.1', messages: [] }],
  anthropic: ['/v1/messages', { model: 'claude', max_tokens: 10, messages: [] }],
  gemini: ['/v1beta/models/gemini-2.5-flash:generateContent', { contents: [] }],
};
const providers = Object.keys(providerRequestsPerMinute) as PresetProvider[];

test.each(providers)('RL10: a call of %s counts at its preset, and at no other', async (provider) => {
  await using limiter = createRateLimiter({ rules: providers.flatMap(providerPreset) });
  const limited = wrapFetch(async () => Response.json({}), { limiter: limiterPolicy(limiter) });
  const [path, body] = calls[provider];
  await (await limited(`https://api.example${path}`, { method: 'POST', body: JSON.stringify(body) })).text();
  const used = await limiter.snapshot();
  expect(used.map(({ rule, remaining }) => [rule, remaining])).toEqual([
    [`${provider}_requests_per_minute`, providerRequestsPerMinute[provider] - 1],
  ]);
});
