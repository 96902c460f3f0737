import { describe, expect, test } from '@jest/globals';
import { createPriceTable, type LlmPolicies } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';
import { useRig } from '../support/rig.ts';
import { anthropic, chat, gemini, responses, wires } from '../support/wires.ts';

const rig = useRig();
const { send } = rig;
const poor = (nanoUsd: bigint): LlmPolicies => ({ limiter: createPurse(nanoUsd), price: unitPrice });

async function sentBody(...args: Parameters<typeof send>): Promise<Record<string, unknown>> {
  const response = await send(...args);
  await response.text();
  expect(response.status).toBe(200);
  return rig.provider.requests.at(-1)?.body as Record<string, unknown>;
}

describe('RL6: the limit of output that goes into a request', () => {
  test('stands where its API has it', async () => {
    expect(await sentBody(chat, poor(2_000n), { more: { model: 'gpt-4.1' } })).toHaveProperty('max_completion_tokens');
    // Hosts that speak OpenAI's API know only the old name.
    expect(await sentBody(chat, poor(2_000n), { more: { model: 'llama-3' } })).toHaveProperty('max_tokens');
    expect(await sentBody(responses, poor(2_000n))).toHaveProperty('max_output_tokens');
    const clamped = { ...poor(2_000n), clamp: true };
    expect(await sentBody(anthropic, clamped)).toMatchObject({ max_tokens: expect.any(Number) });
    const more = { generationConfig: { temperature: 0.5 } };
    expect(await sentBody(gemini, poor(2_000n), { more })).toMatchObject({
      generationConfig: { temperature: 0.5, maxOutputTokens: expect.any(Number) },
    });
  });

  test.each(wires.map((wire) => [wire.name, wire] as const))(
    '%s: never costs more than is left',
    async (_name, wire) => {
      const limiter = createPurse(1_500n);
      rig.provider.next({ text: 'word '.repeat(2_000) });
      await sentBody(wire, { limiter, price: unitPrice, clamp: true });
      expect(limiter.spentNanoUsd).toBeLessThanOrEqual(1_500n);
    },
  );

  test('follows from the price that a long input has', async () => {
    const longInput = [{ above: 1_000, input: '0.002', output: '0.1' }];
    const price = createPriceTable({
      prices: { openai: { 'gpt-4.1': { input: '0.001', output: '0.01', longInput } } },
    });
    const limiter = createPurse(20_000n);
    const content = 'word '.repeat(1_000);
    const body = await sentBody(chat, { limiter, price }, { more: { messages: [{ role: 'user', content }] } });
    const { inputTokens = 0 } = limiter.reserved[0]?.estimate ?? {};
    expect(inputTokens).toBeGreaterThan(1_000);
    expect(body['max_completion_tokens']).toBe(Math.floor((20_000 - 2 * inputTokens) / 100));
  });

  test('is no more than the model makes, where that is known', async () => {
    const policies: LlmPolicies = {
      ...poor(1_000_000_000n),
      maxOutputTokens: ({ model }) => (model === 'gpt-4.1' ? 77 : undefined),
    };
    expect(await sentBody(chat, policies)).toMatchObject({ max_completion_tokens: 77 });
    expect(await sentBody(chat, policies, { more: { max_tokens: 500 } })).toMatchObject({ max_tokens: 77 });
    expect(await sentBody(chat, policies, { more: { max_tokens: 5 } })).toMatchObject({ max_tokens: 5 });
    expect(await sentBody(responses, policies, { more: { model: 'o3' } })).toMatchObject({ max_output_tokens: 16_384 });
  });

  test('leaves a request alone that asks for no more than it is granted', async () => {
    const { init } = chat.askWhole({ max_tokens: 20 });
    const sent: unknown[] = [];
    const inner: typeof fetch = (input, one) => {
      sent.push(one?.body);
      return fetch(input, one);
    };
    await sentBody(chat, poor(1_000_000n), { more: { max_tokens: 20 }, stream: false, by: inner });
    expect(sent).toEqual([init.body]);
  });
});

describe('RL5: the input that is reserved', () => {
  test('is an estimate with a margin: of its own for Anthropic, or as you say', async () => {
    const messages = [{ role: 'user', content: 'word '.repeat(500) }];
    const reserved = async (wire: typeof chat, inputMargin?: number) => {
      const limiter = createPurse(1_000_000n);
      const options = inputMargin === undefined ? {} : { inputMargin };
      await (await send(wire, { limiter, price: unitPrice, ...options }, { more: { messages } })).text();
      return (limiter.reserved[0]?.estimate.inputTokens ?? 0) / 500;
    };
    const plain = await reserved(chat);
    expect(plain).toBeGreaterThanOrEqual(1);
    expect((await reserved(anthropic)) / plain).toBeCloseTo(1.3, 1);
    expect((await reserved(chat, 2)) / plain).toBeCloseTo(2, 1);
    expect(() => send(chat, { inputMargin: -1 })).toThrow(/inputMargin/);
  });

  test('costs what writing it to the cache for an hour costs, where it is asked to be kept so long', async () => {
    const price = createPriceTable({
      prices: {
        anthropic: {
          'claude-sonnet-4-5': { input: '0.001', output: 0, cacheWrite: '0.002', longCacheWrite: '0.004' },
        },
      },
    });
    const perToken = async (ttl?: string) => {
      const limiter = createPurse(1_000_000n);
      const control = { type: 'ephemeral', ...(ttl !== undefined && { ttl }) };
      const more = { system: [{ type: 'text', text: 'x', cache_control: control }] };
      await (await send(anthropic, { limiter, price }, { more })).text();
      const { costNanoUsd, inputTokens } = limiter.reserved[0]?.estimate ?? {};
      return Number(costNanoUsd) / (inputTokens ?? 0);
    };
    expect([await perToken(), await perToken('5m'), await perToken('1h')]).toEqual([2, 2, 4]);
  });
});
