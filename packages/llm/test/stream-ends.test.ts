/** Each way for a stream to end, for each API: the reservation settled once, the operation ended once, the permit used once, the connection let go. */
import { describe, expect, test } from '@jest/globals';
import { openOperations, type Outcome } from '@sage-adk/core';
import type { LlmPolicies } from '../src/pipeline.ts';
import type { Behaviour } from '../src/testing/index.ts';
import { createFuse, createPurse, unitPrice } from './support/policies.ts';
import { soon, useRig } from './support/rig.ts';
import { type WireCase, wires } from './support/wires.ts';

const rig = useRig();

interface Way {
  readonly name: string;
  readonly behaviour?: Behaviour;
  /** What the consumer does with the answer. @default reads all of it */
  readonly read?: (response: Response, controller: AbortController) => Promise<unknown>;
  /** What the caller does while there is no answer yet. */
  readonly meanwhile?: (controller: AbortController) => void;
  readonly limits?: LlmPolicies['stall'];
  readonly outcome: Outcome;
  readonly permit: 'succeed' | 'release' | 'fail';
  /** Whether content may be on its way that nobody reads any more. */
  readonly leaves?: true;
  /** How the caller is told. */
  readonly told: 'answer' | 'status' | 'throws' | 'nothing';
}

const forever = Number.POSITIVE_INFINITY;

const ways: readonly Way[] = [
  { name: 'it is read to its end', outcome: 'ok', permit: 'succeed', told: 'answer' },
  {
    name: 'the consumer leaves at the last word, and the connection stays open',
    behaviour: { neverEnd: true },
    read: readUntil(/\[DONE\]|message_stop|response\.completed|finishReason/),
    outcome: 'ok',
    permit: 'succeed',
    told: 'answer',
  },
  {
    name: 'it is cut after content',
    behaviour: { cutAfter: { contents: 3 } },
    outcome: 'error',
    permit: 'fail',
    told: 'throws',
  },
  {
    name: 'it is cut before content',
    behaviour: { cutAfter: { contents: 0 } },
    outcome: 'error',
    permit: 'fail',
    told: 'throws',
  },
  {
    name: 'it ends too early',
    behaviour: { endAfter: { contents: 3 } },
    outcome: 'error',
    permit: 'fail',
    told: 'answer',
  },
  {
    name: 'it stalls after content',
    behaviour: { stallAfter: { contents: 3 }, keepAliveMs: 4 },
    limits: { betweenContentsMs: 20 },
    outcome: 'timeout',
    permit: 'fail',
    told: 'throws',
  },
  {
    name: 'it stalls before content',
    behaviour: { stallAfter: { contents: 0 }, keepAliveMs: 4 },
    limits: { firstContentMs: 20 },
    outcome: 'timeout',
    permit: 'fail',
    told: 'throws',
  },
  {
    name: 'it takes too long in all',
    leaves: true,
    behaviour: { endless: true, tokenDelayMs: 3 },
    limits: { totalMs: 30 },
    outcome: 'timeout',
    permit: 'fail',
    told: 'throws',
  },
  {
    name: 'the caller aborts before content',
    behaviour: { latencyMs: forever },
    meanwhile: (controller) => controller.abort(),
    outcome: 'cancelled',
    permit: 'release',
    told: 'throws',
  },
  {
    name: 'the caller aborts after content',
    leaves: true,
    behaviour: { stallAfter: { contents: 3 } },
    read: async (response, controller) => {
      const reading = response.text();
      controller.abort();
      return reading;
    },
    outcome: 'cancelled',
    permit: 'release',
    told: 'throws',
  },
  {
    name: 'the caller aborts and reads no more',
    leaves: true,
    behaviour: { stallAfter: { contents: 3 } },
    read: async (_response, controller) => controller.abort(),
    outcome: 'cancelled',
    permit: 'release',
    told: 'nothing',
  },
  {
    name: 'the time of the caller is over',
    leaves: true,
    behaviour: { stallAfter: { contents: 3 } },
    read: async (response, controller) => {
      const reading = response.text();
      controller.abort(new DOMException('late', 'TimeoutError'));
      return reading;
    },
    outcome: 'timeout',
    permit: 'release',
    told: 'throws',
  },
  {
    name: 'the consumer drops the body in the middle',
    leaves: true,
    behaviour: { endless: true },
    read: async (response) => {
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    },
    outcome: 'cancelled',
    permit: 'release',
    told: 'nothing',
  },
  {
    name: 'it is never read',
    leaves: true,
    read: async () => {},
    behaviour: { endless: true },
    outcome: 'cancelled',
    permit: 'release',
    told: 'nothing',
  },
  {
    name: 'an error comes in the middle',
    behaviour: { errorEventAt: { contents: 3 }, status: 503 },
    outcome: 'error',
    permit: 'fail',
    told: 'answer',
  },
  {
    name: 'an error comes in place of content',
    behaviour: { errorEventAt: { contents: 0 }, status: 503 },
    outcome: 'error',
    permit: 'fail',
    told: 'status',
  },
  {
    name: 'an event cannot be read, and the consumer leaves over it',
    leaves: true,
    behaviour: { malformedAt: { contents: 3 }, neverEnd: true },
    read: readUntil(/^data: (?!\[DONE\])(?!\{.*\}\r?$).+$/m),
    outcome: 'error',
    permit: 'fail',
    told: 'nothing',
  },
  {
    name: 'no event can be read',
    leaves: true,
    behaviour: { malformedAt: 0 },
    outcome: 'error',
    permit: 'fail',
    told: 'throws',
  },
  { name: 'there is no body', behaviour: { emptyBody: true }, outcome: 'error', permit: 'fail', told: 'throws' },
  { name: 'the provider answers 503', behaviour: { status: 503 }, outcome: 'error', permit: 'fail', told: 'status' },
  { name: 'the provider hangs up', behaviour: { hangUp: true }, outcome: 'error', permit: 'fail', told: 'throws' },
];

describe.each(wires.map((wire) => [wire.name, wire] as const))('a stream of %s', (_name, wire) => {
  test.each(ways.map((way) => [way.name, way] as const))('where %s', async (_way, way) => {
    const purse = createPurse(1_000_000_000n);
    const breaker = createFuse();
    const before = openOperations();
    const text = 'one two three four five six seven';
    rig.provider.next({ text, ...way.behaviour });
    const told = await callOnce(wire, way, { limiter: purse, price: unitPrice, breaker, stall: way.limits ?? {} });
    await settled(way, purse);

    expect(told).toBe(way.told);
    expect(purse.reserved).toMatchObject([{ ends: 1 }]);
    expect(rig.recorder.started.filter(({ name }) => name === 'llm.call')).toHaveLength(1);
    expect(rig.calls()).toMatchObject([{ outcome: way.outcome, attributes: { attempts: 1 } }]);
    expect(breaker.words.slice(1)).toEqual([
      way.permit === 'fail' ? expect.objectContaining({ message: expect.any(String) }) : way.permit,
    ]);
    expect(openOperations()).toBe(before);
    await rig.provider.idle();
    // What was settled is never more than what was reserved, and never less than what the provider bills for what was read.
    const { inputTokens, outputTokens } = rig.provider.counters;
    const billed = BigInt(inputTokens) + (way.leaves === true ? 0n : 10n * BigInt(outputTokens));
    expect(purse.spentNanoUsd).toBeGreaterThanOrEqual(billed);
    expect(purse.spentNanoUsd).toBeLessThanOrEqual(purse.reserved[0]?.estimate.costNanoUsd ?? 0n);
  });
});

async function callOnce(wire: WireCase, way: Way, policies: LlmPolicies): Promise<Way['told']> {
  const controller = new AbortController();
  const calling = rig.send(wire, policies, { signal: controller.signal });
  if (way.meanwhile !== undefined)
    void soon(() => rig.provider.counters.open > 0).then(() => way.meanwhile?.(controller));
  try {
    const response = await calling;
    if (!response.ok) {
      await response.text();
      return 'status';
    }
    if (way.read === undefined) await response.text();
    else await way.read(response, controller);
    return way.told === 'nothing' ? 'nothing' : 'answer';
  } catch {
    return 'throws';
  }
}

/** What nobody reads is found by the collector. */
async function settled(way: Way, purse: ReturnType<typeof createPurse>): Promise<void> {
  for (let turn = 0; turn < 100 && purse.reserved[0]?.ends !== 1; turn++) {
    if (way.told === 'nothing') globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Reads until the text has this in it, and leaves. */
function readUntil(pattern: RegExp): NonNullable<Way['read']> {
  return async (response) => {
    const reader = response.body?.getReader();
    for (let text = ''; !pattern.test(text);) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      text += Buffer.from(value ?? []).toString();
    }
    await reader?.cancel();
  };
}
