/**
 * How far off the estimate of input tokens is, against tokenizers that are public: those of OpenAI's models since GPT-4o (o200k), and of the ones before
 * (cl100k). The README states what this prints.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { estimateText, tokensOfImage } from '../../src/request/estimate.ts';
import { corpus } from '../support/corpus.ts';

const rows: string[] = [];
afterAll(() => console.info(['estimate / counted        o200k  cl100k', ...rows].join('\n')));

function estimate(body: unknown): number {
  return estimateText(JSON.stringify(body));
}

/** As OpenAI counts a request: its texts, three tokens for each message and three for the answer to come. */
function requestOf(text: string) {
  const system = 'You are a helpful assistant.';
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: text },
  ];
  const counted = (count: (text: string) => number): number =>
    3 + messages.reduce((sum, { role, content }) => sum + 3 + count(role) + count(content), 0);
  return { body: { model: 'gpt-4.1', messages }, counted };
}

describe('the estimate of input tokens', () => {
  test.each(corpus)(
    'RL5: is between what a tokenizer counts of $name and three times that',
    ({ name, text, isNoise }) => {
      const { body, counted } = requestOf(text);
      const estimated = estimate(body);
      const [o200k, cl100k] = [estimated / counted(countO200k), estimated / counted(countCl100k)];
      rows.push(`${name.padEnd(24)}  ${o200k.toFixed(2).padStart(5)}  ${cl100k.toFixed(2).padStart(6)}`);
      const least = isNoise === true ? 0.95 : 0.99;
      expect(Math.min(o200k, cl100k)).toBeGreaterThanOrEqual(least);
      expect(Math.max(o200k, cl100k)).toBeLessThanOrEqual(3);
    },
  );

  test('RL5: is as near where only samples of a long text are looked at', () => {
    const text = corpus
      .map((one) => one.text)
      .join('\n')
      .repeat(5);
    const { body, counted } = requestOf(text);
    const ratio = estimate(body) / counted(countO200k);
    rows.push(`${`all of it, ${text.length} letters`.padEnd(24)}  ${ratio.toFixed(2).padStart(5)}`);
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThanOrEqual(1.6);
  });

  test('of an image is the same whatever its bytes', () => {
    const image = (kilobytes: number) => `data:image/png;base64,${'iVBORw0KGgoA'.repeat(kilobytes * 85)}`;
    const ask = (url: string) => ({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    });
    expect(estimate(ask(image(900)))).toBe(estimate(ask(image(20))));
    expect(estimate(ask(image(900)))).toBeLessThan(3 * tokensOfImage);
  });
});
