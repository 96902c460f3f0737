import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
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
      { name: 'event_loop', critical: false },
      { name: 'memory', critical: false },
    ],
  });
  // No probe costs a token.
  expect(model.calls).toBe(0);
});
