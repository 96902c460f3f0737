// Prints the CPU cost of calls that the real OpenAI SDK makes, bare and through the wrapper, with what the argument names plugged in: nothing, one policy, or all. As in a
// process that serves there is one wrapper in this one, its code is compiled, and what a call leaves to the collector is paid for by calls.
import { type Fetch, wrapFetch } from '@sage-adk/llm';
import OpenAI from 'openai';
import { type Batches, cpuNs, measureOver, median } from '../harness/measure.ts';
import { type LlmFetchTiming, type LlmFetchTimings, pieces } from '../topics/llm-fetch.bench.ts';
import { answerInPieces, answerWhole, production, prompt } from './llm-fetch-rig.ts';

const [name = 'all', observed = 'observed'] = process.argv.slice(2);
const all = production(observed === 'observed');
const { limiter, subject, price, stall, breaker, retry, cache } = all;
const sets: Readonly<Record<string, Record<string, unknown>>> = {
  nothing: {},
  limiter: { limiter, subject, price },
  breaker: { breaker },
  retry: { retry },
  cache: { cache },
  stall: { stall },
  all: { ...all },
};
const variants = [undefined, sets[name] ?? {}].map((policies) => {
  const client = (fetch: Fetch): OpenAI => {
    const made = policies === undefined ? fetch : wrapFetch(fetch, policies);
    return new OpenAI({ apiKey: 'any', baseURL: 'https://api.test/v1', fetch: made, maxRetries: 0 });
  };
  return {
    name: policies === undefined ? 'bare' : name,
    whole: client(answerWhole),
    short: client(answerInPieces(pieces.short)),
    long: client(answerInPieces(pieces.long)),
  };
});
const messages = [{ role: 'user' as const, content: prompt }];
/**
 * Parts of a batch, in which the bare one and the other take turns: a machine that others use is fast now and slow then, and whoever's turn it is pays when a
 * collection is due. A batch holds as many calls as lie between two collections of the young, and more.
 */
const turns = 8;
/** As many as variants: each begins once. */
const rounds = variants.length;
const calls = 800 / turns;
const streams = 40 / turns;
const batches = {
  calls: name === 'all' ? { turns, rounds, most: 51, mostMs: 60_000 } : { turns, rounds, most: 21, mostMs: 12_000 },
  events: { turns, rounds, most: 25, mostMs: 30_000 },
};
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

/** The calibration. It is taken in the same batches as all else, since a machine that others use is fast now and slow then. */
const costOfBareAsync = (): Promise<number> =>
  cpuNs(
    {
      run: async (count) => {
        for (let i = 0; i < count; i++) sum += await work(i);
      },
    },
    200_000,
  );

type Measured = (typeof variants)[number];

const costOfCall = ({ whole }: Measured): Promise<number> => cpuNs({ run: (count) => call(whole, count) }, calls);

/** Of one more event: what a long stream costs more than a short one. */
async function costOfEvent({ short, long }: Measured): Promise<number> {
  const shortNs = await cpuNs({ run: (count) => stream(short, count) }, streams);
  const longNs = await cpuNs({ run: (count) => stream(long, count) }, streams);
  return (longNs - shortNs) / (pieces.long - pieces.short);
}

async function timingOf(
  costOf: (measured: Measured) => Promise<number>,
  size: Batches,
): Promise<LlmFetchTiming | undefined> {
  const calibrations: number[] = [];
  const beside = async (): Promise<void> => void calibrations.push(await costOfBareAsync());
  const excess = (await measureOver(variants, costOf, { ...size, beside })).get(name);
  return excess && { ...excess, bareAsyncNs: median(calibrations) };
}

// The compiler works beside, and its work counts as well: it has to be done before. After 4,000 calls it still makes the best form of most functions, which
// costs as much again as the calls; after 20,000 there are few left.
for (let turn = 0; turn < 40; turn++) for (const { whole } of variants) await call(whole, 500);
const ofCalls = await timingOf(costOfCall, batches.calls);
let ofEvents: LlmFetchTiming | undefined;
if (name === 'all') {
  for (let turn = 0; turn < 8; turn++) for (const { long } of variants) await stream(long, 50);
  ofEvents = await timingOf(costOfEvent, batches.events);
}
const result: LlmFetchTimings = { call: ofCalls, event: ofEvents };
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
