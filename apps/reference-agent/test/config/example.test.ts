import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseDocument } from 'yaml';
import { keysAt } from '../../src/config/known-keys.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { agentConfig } from '../../src/config/schema.ts';

const file = new URL('../../config/agent.yaml', import.meta.url).pathname;
const text = readFileSync(file, 'utf8');

test('the example loads, and says what the defaults are but for its limits', async () => {
  const { rate_limit: limits, ...example } = await loadConfig(file);
  const { rate_limit: none, ...defaults } = parseConfig('', 'defaults');
  expect(example).toEqual(defaults);
  expect(none.per_user).toBeUndefined();
  expect(limits.per_user?.requests_per_minute).toBe(600);
});

test.each([
  [['rate_limit']],
  [['rate_limit', 'global']],
  [['rate_limit', 'llm_providers', 'openai']],
  [['redis']],
  [['postgres']],
  [['llm']],
  [['llm', 'providers', 'openai']],
  [['observability', 'metrics']],
  [['observability', 'metrics', 'usage']],
  [['observability', 'metrics', 'objectives']],
  [['recovery', 'fallback']],
  [['recovery', 'dlq']],
  [['recovery', 'circuit_breaker']],
  [['server', 'api_keys', 0]],
])('RL21: the example shows every key of %j', (path) => {
  const keys = keysAt(agentConfig, path);
  expect(keys).not.toEqual([]);
  for (const key of keys) expect(text).toMatch(new RegExp(`\\b${key}\\b`));
});

test('OC1: the example names every block of the observability block', () => {
  const blocks = Object.keys((parseDocument(text).toJS() as { observability: object }).observability);
  expect(blocks.toSorted()).toEqual(keysAt(agentConfig, ['observability']).toSorted());
});
