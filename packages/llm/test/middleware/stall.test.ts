import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { createFakeClock, type FakeClock } from '@sage-adk/core/testing';
import type { LlmPolicies } from '../../src/pipeline.ts';
import { createPurse, createRetries, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { anthropic, chat, wires } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;
const cases = wires.map((wire) => [wire.name, wire] as const);

describe.each(cases)('a stall of %s', (_name, wire) => {
  test('before the first content is an error of fetch, whatever keeps the connection alive', async () => {
    rig.provider.next({ stallAfter: { contents: 0 }, keepAliveMs: 2 });
    const { clock, policies } = watched({ firstContentMs: 5_000 });
    const calling = send(wire, policies);
    await passing(clock, 4_900);
    expect(calls()).toEqual([]);
    const failing = expect(calling).rejects.toMatchObject({
      code: 'SAGE_LLM_STALLED',
      outcome: 'timeout',
      status: 504,
    });
    await passing(clock, 200);
    await failing;
    expect(calls()).toMatchObject([{ outcome: 'timeout', category: 'transient', code: 'SAGE_LLM_STALLED' }]);
    expect(rig.recorder.emitted('timeout.fired')).toMatchObject([{ operation: 'llm.call' }]);
    await rig.provider.idle();
  });

  test('after content is an error of the body, and the connection is let go', async () => {
    rig.provider.next({ stallAfter: { contents: 2 }, keepAliveMs: 2 });
    const { clock, policies } = watched({ betweenContentsMs: 5_000 });
    const reading = send(wire, policies).then((response) => response.text());
    const failing = expect(reading).rejects.toMatchObject({ code: 'SAGE_LLM_STALLED' });
    // On a busy machine the content may come late, and the time that is allowed begins with it.
    for (let turn = 0; turn < 20 && calls().length === 0; turn++) await passing(clock, 5_300);
    await failing;
    expect(calls()).toMatchObject([{ outcome: 'timeout', code: 'SAGE_LLM_STALLED' }]);
    expect(calls()[0]?.attributes.outputTokens).toBeGreaterThan(0);
    await rig.provider.idle();
  });
});

describe('the time limits', () => {
  test('leave alone what comes along', async () => {
    const { policies } = watched({ firstContentMs: 50, betweenContentsMs: 50, totalMs: 500 });
    const text = await (await send(chat, policies)).text();
    expect(text).toContain('[DONE]');
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
  });

  test('do not count the time in which nobody reads', async () => {
    const { clock, policies } = watched({ betweenContentsMs: 1_000 });
    const response = await send(chat, policies);
    await passing(clock, 60_000);
    expect(await response.text()).toContain('[DONE]');
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
  });

  test('before the status are those of the first content', async () => {
    rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY });
    const { clock, policies } = watched({ firstContentMs: 1_000, betweenContentsMs: 100 });
    const failing = expect(send(anthropic, policies)).rejects.toMatchObject({ code: 'SAGE_LLM_STALLED' });
    await soon(() => rig.provider.counters.open > 0);
    await passing(clock, 900);
    expect(calls()).toEqual([]);
    await passing(clock, 200);
    await failing;
  });

  test('for an answer in one piece are the whole time', async () => {
    rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY });
    const { clock, policies } = watched({ firstContentMs: 10, betweenContentsMs: 10, totalMs: 1_000 });
    const failing = expect(send(chat, policies, { stream: false })).rejects.toMatchObject({
      code: 'SAGE_LLM_TOO_SLOW',
    });
    await soon(() => rig.provider.counters.open > 0);
    await passing(clock, 900);
    expect(calls()).toEqual([]);
    await passing(clock, 200);
    await failing;
    expect(calls()).toMatchObject([{ outcome: 'timeout', code: 'SAGE_LLM_TOO_SLOW' }]);
  });

  test('are never longer than the context allows', async () => {
    rig.provider.next({ stallAfter: { contents: 1 } });
    const { clock, policies } = watched({ totalMs: 60_000 });
    const reading = run({ deadlineMs: clock.monotonicMs() + 500 }, () => send(chat, policies)).then((response) =>
      response.text(),
    );
    const failing = expect(reading).rejects.toMatchObject({ code: 'SAGE_LLM_TOO_SLOW' });
    await passing(clock, 600);
    await failing;
  });

  test('end a try, and another one may follow', async () => {
    rig.provider.next({ stallAfter: { contents: 0 } });
    const { clock, policies } = watched({ firstContentMs: 1_000 });
    const purse = createPurse(1_000_000_000n);
    const calling = send(chat, { ...policies, retry: createRetries(2), limiter: purse, price: unitPrice });
    await soon(() => rig.provider.counters.open > 0);
    await passing(clock, 1_100);
    await (await calling).text();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 2 } }]);
    expect(purse.reserved).toMatchObject([{ ends: 1 }, { ends: 1 }]);
  });

  test('leave no timer behind, and one listener however many calls a signal had', async () => {
    const { clock, policies } = watched({ firstContentMs: 1_000, totalMs: 2_000 });
    const controller = new AbortController();
    rig.provider.next({}, { status: 503 }, { hangUp: true });
    for (let n = 0; n < 2; n++) await (await send(chat, policies, { signal: controller.signal })).text();
    await expect(send(chat, policies)).rejects.toThrow();
    await (await send(chat, policies)).body?.cancel();
    expect(clock.pending).toBe(0);
    const following = getEventListeners(controller.signal, 'abort');
    expect(following.filter(({ name }) => name === 'tell')).toHaveLength(1);
  });

  test('of nothing are refused', () => {
    expect(() => send(chat, { stall: { totalMs: 0 } })).toThrow('stall.totalMs');
  });
});

function watched(limits: { firstContentMs?: number; betweenContentsMs?: number; totalMs?: number }): {
  readonly clock: FakeClock;
  readonly policies: LlmPolicies;
} {
  const clock = createFakeClock();
  return { clock, policies: { stall: { ...limits, clock } } };
}

/** Lets the network go on while the clock does. */
async function passing(clock: FakeClock, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 15));
  const step = ms / 20;
  for (let passed = 0; passed < 20; passed++) {
    await clock.advanceAsync(step);
    if (passed % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
