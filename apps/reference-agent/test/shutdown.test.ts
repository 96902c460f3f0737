import { describe, expect, test } from '@jest/globals';
import { observe } from '@sage-adk/core';
import { createFakeClock, createScriptedLlm } from '@sage-adk/core/testing';
import { connect, gather, say } from './support/a2a.ts';
import { startTestAgent } from './support/agent.ts';
import { get, post } from './support/http.ts';

async function untilCalled(model: { readonly calls: number }): Promise<void> {
  while (model.calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A task that the client doesn't wait for, once the model has its message. */
async function beginTask(url: string, text: string, model: { readonly calls: number }): Promise<void> {
  const configuration = { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true };
  const client = await connect(url, 'JSONRPC');
  await client.sendMessage({ ...say(text), configuration });
  await untilCalled(model);
}

describe('closing', () => {
  test('gives up what runs longer than it has time for, and says so', async () => {
    const model = createScriptedLlm();
    model.stallAfter(0);
    const agent = await startTestAgent('', { provider: model, drainSeconds: 0.05 });
    const answer = post(agent.urls.messages, { text: 'never to end' });
    await untilCalled(model);
    await agent.close();
    expect((await answer).status).toBe(503);
    expect((await answer).json()['error']).toBe('stopping');
  });

  test('a task that is given up is a failed one, and its stream ends', async () => {
    const model = createScriptedLlm();
    model.stallAfter(1);
    const agent = await startTestAgent('', { provider: model, drainSeconds: 0.05 });
    const client = await connect(agent.urls.agent, 'JSONRPC');
    const stream = gather(client.sendMessageStream(say('never to end')));
    await untilCalled(model);
    await agent.close();
    expect((await stream).state).toBe(4);
  });

  test('waits for a task whose client does not: it is answered, within the time that there is', async () => {
    const model = createScriptedLlm({ pieceDelayMs: 700 });
    const agent = await startTestAgent('', { provider: model, drainSeconds: 10 });
    const ended: (string | undefined)[] = [];
    using _watching = observe({
      name: 'test',
      operations: { 'llm.call': { end: ({ outcome }) => void ended.push(outcome) } },
    });
    await beginTask(agent.urls.agent, 'one two three', model);
    await agent.close();
    expect(ended).toEqual(['ok']);
  });

  test('gives up a task whose client does not wait, and what it held is given back', async () => {
    const model = createScriptedLlm();
    model.stallAfter(0);
    const agent = await startTestAgent('', { provider: model, drainSeconds: 0.05 });
    const ended: (string | undefined)[] = [];
    using _watching = observe({
      name: 'test',
      operations: { 'llm.call': { end: ({ outcome }) => void ended.push(outcome) } },
    });
    await beginTask(agent.urls.agent, 'never to end', model);
    await agent.close();
    expect(ended).toEqual(['error']);
  });

  test('is not ready from its first moment, takes no new connection, and is done twice as well as once', async () => {
    const model = createScriptedLlm();
    model.stallAfter(0);
    const agent = await startTestAgent('', { provider: model, drainSeconds: 30 });
    const leaving = new AbortController();
    const left = post(agent.urls.messages, { text: 'never to end' }, {}, leaving.signal).catch(() => 'left');
    await untilCalled(model);
    const closing = agent.close();
    const ready = await get(agent.urls.health ?? '');
    expect(ready.status).toBe(503);
    expect(ready.json()['reason']).toBe('draining');
    await expect(get(agent.urls.card)).rejects.toThrow();
    leaving.abort();
    expect(await left).toBe('left');
    await Promise.all([closing, agent.close()]);
  });

  test('still serves for the delay after it is not ready any more', async () => {
    const clock = createFakeClock();
    const agent = await startTestAgent('server:\n  drain_delay_seconds: 15\n', { clock });
    const closing = agent.close();
    expect((await get(agent.urls.health ?? '')).status).toBe(503);
    const answer = await post(agent.urls.messages, { text: 'still there?' });
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    clock.advance(15_000);
    await closing;
    await expect(get(agent.urls.card)).rejects.toThrow();
  });

  test('frees its ports when one of them cannot be had', async () => {
    const first = await startTestAgent();
    const { port } = new URL(first.urls.agent);
    await expect(startTestAgent('', {}, Number(port))).rejects.toMatchObject({ code: 'SAGE_AGENT_PORT_IN_USE' });
    await first.close();
    const second = await startTestAgent('', {}, Number(port));
    await second.close();
  });
});
