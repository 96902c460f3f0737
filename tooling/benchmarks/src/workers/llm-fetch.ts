// Prints the CPU cost of calls that the real OpenAI SDK makes, bare and through the wrapper: with nothing plugged in, with each policy alone, and with all.
import { type Fetch, wrapFetch } from '@sage-adk/llm';
import OpenAI from 'openai';
import { cpuNs, measure, measureOver } from '../harness/measure.ts';
import { type LlmFetchTimings, pieces } from '../topics/llm-fetch.bench.ts';
import { answerInPieces, answerWhole, production, prompt } from './llm-fetch-rig.ts';

const isObserved = process.argv[2] !== 'unobserved';
const all = production(isObserved);
const { limiter, subject, price, stall, breaker, retry, cache } = all;
const sets: Readonly<Record<string, Record<string, unknown> | undefined>> = {
  bare: undefined,
  nothing: {},
  limiter: { limiter, subject, price },
  breaker: { breaker },
  retry: { retry },
  cache: { cache },
  stall: { stall },
  all: { ...all },
};
const variants = Object.entries(sets).map(([name, policies]) => {
  const client = (fetch: Fetch): OpenAI => {
    const made = policies === undefined ? fetch : wrapFetch(fetch, policies);
    return new OpenAI({ apiKey: 'any', baseURL: 'https://api.test/v1', fetch: made, maxRetries: 0 });
  };
  return {
    name,
    whole: client(answerWhole),
    short: client(answerInPieces(pieces.short)),
    long: client(answerInPieces(pieces.long)),
  };
});
const ends = variants.filter(({ name }) => name === 'bare' || name === 'all');
const messages = [{ role: 'user' as const, content: prompt }];
const calls = 60;
const streams = 10;
/** Under a minute in all, on a busy machine too. */
const batches = { calls: { most: 31, mostMs: 25_000 }, events: { most: 25, mostMs: 15_000 } };
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

const costOfCall = ({ whole }: { readonly whole: OpenAI }): Promise<number> =>
  cpuNs({ run: (count) => call(whole, count) }, calls);

/** Of one more event: what a long stream costs more than a short one. */
async function costOfEvent({ short, long }: { readonly short: OpenAI; readonly long: OpenAI }): Promise<number> {
  const shortNs = await cpuNs({ run: (count) => stream(short, count) }, streams);
  const longNs = await cpuNs({ run: (count) => stream(long, count) }, streams);
  return (longNs - shortNs) / (pieces.long - pieces.short);
}

// The compiler works beside, and its work counts as well: it has to be done before.
for (let turn = 0; turn < 4; turn++) for (const { whole } of variants) await call(whole, 300);
for (const { long } of ends) await stream(long, 60);
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
const result: LlmFetchTimings = {
  bareAsync: calibration.get('bareAsync')?.medianNs ?? Number.NaN,
  calls: Object.fromEntries(await measureOver(variants, costOfCall, batches.calls)),
  events: Object.fromEntries(await measureOver(ends, costOfEvent, batches.events)),
};
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
