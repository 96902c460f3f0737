import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
import { operate } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createModelHealth } from '../src/model/model-health.ts';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { get } from './support/http.ts';

let model: ScriptedLlm;
let agent: TestAgent;
beforeAll(async () => {
  model = createScriptedLlm();
  agent = await startTestAgent('', { provider: model });
});
afterEach(() => model.heal());
afterAll(() => agent.close());

test('OH1 OH2 OH3: the three probes answer on their own port; ready names what it checks', async () => {
  const ready = agent.urls.health ?? '';
  expect(new URL(ready).port).not.toBe(new URL(agent.urls.agent).port);
  for (const probe of ['live', 'startup']) {
    expect((await get(ready.replace('ready', probe))).status).toBe(200);
  }
  const answer = await get(ready);
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({
    checks: [
      { name: 'llm', status: 'pass' },
      { name: 'storage', status: 'pass' },
      { name: 'protocol.a2a', status: 'pass' },
    ],
  });
  // No probe costs a token.
  expect(model.calls).toBe(0);
});

test('a model whose calls all fail makes the agent not ready, until it has rested', async () => {
  const clock = createFakeClock();
  using check = createModelHealth({ failures: 3, restMs: 1_000, clock });
  const status = async () => (await check.check(new AbortController().signal))?.status;
  const call = (fails: boolean) =>
    operate('llm.call', { provider: 'p', model: 'm', api: 'chat', stream: false }, async () => {
      if (fails) throw new Error('down');
    }).catch(() => {});

  for (const fails of [true, true, false, true, true]) await call(fails);
  expect(await status()).toBe('pass');
  await call(true);
  expect(await status()).toBe('fail');
  clock.advance(1_000);
  expect(await status()).toBe('pass');
  await call(true);
  expect(await status()).toBe('fail');
  await call(false);
  expect(await status()).toBe('pass');
});
