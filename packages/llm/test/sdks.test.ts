/** The SDKs as they are, through the wrapper: what was used, what it cost and how it ended is right in every case. Run on each supported Node by `pnpm matrix`. */
import { describe, expect, test } from '@jest/globals';
import { openOperations, type Outcome } from '@sage-adk/core';
import { wrapFetch } from '../src/index.ts';
import type { Behaviour } from '../src/testing/index.ts';
import { createPurse, unitPrice } from './support/policies.ts';
import { soon, useRig } from './support/rig.ts';
import { clientsOf } from './testing/support/clients.ts';

const rig = useRig();
const names = clientsOf('http://nowhere.test').map(({ name }) => name);
const usage = { inputTokens: 1_200, cachedInputTokens: 1_024, outputTokens: 90, reasoningTokens: 64 };
const cost = 2_100n;

interface Case {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly stream?: boolean;
  readonly outcome: Outcome;
  readonly code?: string;
  /** Whether the provider told what was used before it went wrong. */
  readonly isWhole: boolean;
}

const text = 'one two three four five six';

const cases: readonly Case[] = [
  { name: 'an answer', behaviour: { text, usage }, outcome: 'ok', isWhole: true },
  {
    name: 'a call of a tool',
    behaviour: { toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }], usage },
    outcome: 'ok',
    isWhole: true,
  },
  {
    name: 'a limit of the provider',
    behaviour: { error: 'rate_limit' },
    outcome: 'error',
    code: 'SAGE_LLM_RATE_LIMITED',
    isWhole: false,
  },
  { name: 'an outage', behaviour: { status: 503 }, outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE', isWhole: false },
  { name: 'a bad request', behaviour: { status: 400 }, outcome: 'error', code: 'SAGE_LLM_REFUSED', isWhole: false },
  {
    name: 'a lost connection',
    behaviour: { hangUp: true },
    outcome: 'error',
    code: 'SAGE_LLM_UNREACHABLE',
    isWhole: false,
  },
  {
    name: 'a stream that is cut',
    stream: true,
    behaviour: { text, cutAfter: { contents: 3 } },
    outcome: 'error',
    isWhole: false,
  },
  {
    name: 'a stream that ends too early',
    stream: true,
    behaviour: { text, endAfter: { contents: 3 } },
    outcome: 'error',
    code: 'SAGE_LLM_INCOMPLETE',
    isWhole: false,
  },
  {
    name: 'an error in place of the first content',
    stream: true,
    behaviour: { text, errorEventAt: { contents: 0 }, status: 503 },
    outcome: 'error',
    code: 'SAGE_LLM_UNAVAILABLE',
    isWhole: false,
  },
];

const table = cases.flatMap((one) =>
  (one.stream === undefined ? [false, true] : [one.stream]).map((stream) => [one.name, stream, one] as const),
);

describe.each(names)('OM7: %s, through the wrapper', (name) => {
  test.each(table)('%s (stream: %s)', async (_what, stream, { behaviour, outcome, code, isWhole }) => {
    const purse = createPurse(1_000_000_000n);
    const own = wrapFetch(fetch, { limiter: purse, price: unitPrice });
    const client = clientsOf(rig.provider.url, 0, { fetch: own }).find((one) => one.name === name);
    rig.provider.next(behaviour);
    const asking = stream ? client?.stream() : client?.complete();
    const heard = await asking?.catch(() => undefined);
    await soon(() => rig.calls().length > 0 && purse.reserved.every(({ ends }) => ends === 1));

    expect(rig.calls()).toMatchObject([{ start: { stream }, outcome, attributes: { attempts: 1 } }]);
    if (code !== undefined) expect(rig.calls()).toMatchObject([{ code }]);
    expect(purse.reserved).toMatchObject([{ ends: 1 }]);
    expect(openOperations()).toBe(0);
    if (!isWhole) return;
    const { inputTokens, outputTokens } = usage;
    expect(heard?.usage).toMatchObject({ inputTokens, outputTokens });
    expect(rig.calls()).toMatchObject([{ attributes: { ...usage, costNanoUsd: cost } }]);
    expect(purse.spentNanoUsd).toBe(cost);
  });
});
