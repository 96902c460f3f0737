import { expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.ts';
import { createModelFacts } from '../../src/model/model-facts.ts';

/** Names that every object has a member of. */
const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];

const usage = { inputTokens: 1_000_000, outputTokens: 0 };

function factsOf(llm: string, primary = 'here') {
  return createModelFacts(parseConfig(`llm:\n${llm}`, 'test.yaml').llm, primary);
}

function providerYaml(provider: string, model: string): string {
  return (
    `  providers:\n    ${provider}:\n      kind: openai_compatible\n      base_url: http://127.0.0.1:1/v1\n` +
    `      models:\n        ${model}:\n          price: { input: 3, output: 15 }\n          context_window: 4096\n`
  );
}

test.each(inherited)('a provider and a model named %s have their own price and window', (name) => {
  const facts = factsOf(providerYaml(name, name));
  expect(facts.price.costNanoUsd({ provider: name, model: name, usage })).toBe(3_000_000_000n);
  expect(facts.of(name, name)).toMatchObject({ contextWindow: 4_096 });
});

test.each([...inherited, '__proto__'])('a first model named %s, of a provider of that name, has its price', (name) => {
  const { price } = factsOf(`  model: ${name}\n  price: { input: 3, output: 15 }\n`, name);
  expect(price.costNanoUsd({ provider: name, model: name, usage })).toBe(3_000_000_000n);
  expect(price.costNanoUsd({ provider: name, model: 'other', usage })).toBeUndefined();
});

test.each([...inherited, '__proto__'])(
  'nothing is known of a provider or a model named %s that stands nowhere',
  (name) => {
    const facts = factsOf(providerYaml('here', 'our-model'));
    expect([facts.of(name, 'our-model'), facts.of('here', name), facts.of(name, name)]).toEqual([{}, {}, {}]);
    expect(facts.price.costNanoUsd({ provider: 'here', model: name, usage })).toBeUndefined();
  },
);

test('the price of the first model goes before what its provider says, and leaves the others theirs', () => {
  const { price } = factsOf(
    `  model: first\n  price: { input: 1, output: 1 }\n${providerYaml('here', 'first')}        second:\n          price: { input: 2, output: 2 }\n`,
  );
  const costs = ['first', 'second'].map((model) => price.costNanoUsd({ provider: 'here', model, usage }));
  expect(costs).toEqual([1_000_000_000n, 2_000_000_000n]);
});
