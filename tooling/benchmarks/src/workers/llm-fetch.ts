// Prints the CPU cost of calls that the real OpenAI SDK makes, bare and through the wrapper with everything plugged in.
import { type Fetch, wrapFetch } from '@sage-adk/llm';
import OpenAI from 'openai';
import { measure } from '../harness/measure.ts';
import { type LlmFetchTimings, pieces } from '../topics/llm-fetch.bench.ts';
import { answerInPieces, answerWhole, production, prompt } from './llm-fetch-rig.ts';

const policies = production();
const client = (fetch: Fetch): OpenAI =>
  new OpenAI({ apiKey: 'any', baseURL: 'https://api.test/v1', fetch, maxRetries: 0 });
const both = (fetch: Fetch) => ({ bare: client(fetch), wrapped: client(wrapFetch(fetch, policies)) });
const messages = [{ role: 'user' as const, content: prompt }];
let sum = 0;

async function work(value: number): Promise<number> {
  return value + 1;
}

async function call(by: OpenAI, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { usage } = await by.chat.completions.create({ model: 'gpt-4.1', messages });
    sum += usage?.total_tokens ?? 0;
  }
}

async function stream(by: OpenAI, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const events = await by.chat.completions.create({ model: 'gpt-4.1', messages, stream: true });
    for await (const { choices } of events) sum += choices.length;
  }
}

const whole = both(answerWhole);
const short = both(answerInPieces(pieces.short));
const long = both(answerInPieces(pieces.long));
// The compiler works beside, and its work counts as well: it has to be done before.
for (const one of [whole.bare, whole.wrapped]) await call(one, 3_000);
for (const one of [long.bare, long.wrapped]) await stream(one, 100);
const calibration = await measure(
  [
    {
      name: 'bareAsync',
      run: async (count) => {
        for (let i = 0; i < count; i++) sum += await work(i);
      },
    },
  ],
  200_000,
  11,
);
const calls = await measure(
  [
    { name: 'bareCall', run: (count) => call(whole.bare, count) },
    { name: 'wrappedCall', run: (count) => call(whole.wrapped, count) },
  ],
  1_000,
  9,
);
const streams = await measure(
  [
    { name: 'bareShort', run: (count) => stream(short.bare, count) },
    { name: 'wrappedShort', run: (count) => stream(short.wrapped, count) },
    { name: 'bareLong', run: (count) => stream(long.bare, count) },
    { name: 'wrappedLong', run: (count) => stream(long.wrapped, count) },
  ],
  50,
  9,
);
const result = Object.fromEntries(
  [...calibration, ...calls, ...streams].map(([name, { medianNs }]) => [name, medianNs]),
) as unknown as LlmFetchTimings;
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
