/**
 * Who decides rightly whether the same target may be asked again, on recorded errors: recovery's classifier on all of them, and peers on what they see.
 *
 * The clients decide over a real connection, so each is scored on the errors that its own provider answers with. `if-idempotent` counts as either.
 */
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { createFaultyProvider, type ErrorName } from '@sage-adk/llm/testing';
import { createClassifier } from '@sage-adk/recovery';
import { readCorpus } from '@tooling/error-corpus';
import { generateText } from 'ai';
import OpenAI from 'openai';
import pRetry from 'p-retry';
import type { Report, Topic } from '../harness/topic.ts';

interface Score {
  readonly right: number;
  readonly of: number;
}

type Decide = (name: string, error: unknown) => Promise<boolean | undefined>;

const corpus = readCorpus();
const classifier = createClassifier();

export const topic: Topic = {
  name: 'Classifier: may the same target be asked again, beside what clients decide',
  async run(): Promise<Report> {
    const ours = await score(async (_name, error) => classifier.classify(error).retry === 'yes');
    const figures: Record<string, string> = { recovery: told(ours) };
    for (const [name, decide] of Object.entries(peers)) figures[name] = told(await score(decide));
    return {
      figures,
      gates: [{ name: 'errors that recovery decides wrongly', value: ours.of - ours.right, limit: 0, kind: 'at most' }],
    };
  },
};

function told({ right, of }: Score): string {
  return `${right} of ${of}`;
}

async function score(decide: Decide): Promise<Score> {
  let right = 0;
  let of = 0;
  for (const { name, error, label } of corpus) {
    const again = await decide(name, error);
    if (again === undefined) continue;
    of++;
    if (label.retry === 'if-idempotent' || again === (label.retry === 'yes')) right++;
  }
  return { right, of };
}

/** How often a client asks that may ask twice. */
function overTheWire(origin: string, call: (url: string) => Promise<unknown>): Decide {
  return async (name) => {
    const [from, error = ''] = name.split('/');
    if (from !== origin || !(error in onTheWire)) return undefined;
    await using provider = await createFaultyProvider({ error: error as ErrorName });
    await call(provider.url).catch(() => {});
    return provider.counters.requests > 1;
  };
}

const onTheWire: Readonly<Partial<Record<ErrorName, true>>> = {
  invalid_request: true,
  authentication: true,
  quota: true,
  permission: true,
  not_found: true,
  timeout: true,
  conflict: true,
  too_large: true,
  context_length: true,
  rate_limit: true,
  server_error: true,
  unavailable: true,
  overloaded: true,
  bad_gateway: true,
  gateway_timeout: true,
};

const prompt = 'hi';
const peers: Readonly<Record<string, Decide>> = {
  openai: overTheWire('openai-chat', (url) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 1, logLevel: 'off' }).chat.completions.create({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: prompt }],
    }),
  ),
  '@anthropic-ai/sdk': overTheWire('anthropic', (url) =>
    new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 1, logLevel: 'off' }).messages.create({
      model: 'claude-next',
      max_tokens: 100,
      messages: [{ role: 'user', content: prompt }],
    }),
  ),
  '@google/genai': overTheWire('google-genai', (url) =>
    new GoogleGenAI({
      apiKey: 'any',
      httpOptions: { baseUrl: url, fetch, retryOptions: { attempts: 2 } },
    }).models.generateContent({ model: 'gemini-2.5-flash', contents: prompt }),
  ),
  ai: overTheWire('ai-openai', (url) =>
    generateText({
      model: createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }).chat('gpt-4.1'),
      prompt,
      maxRetries: 1,
    }),
  ),
  'p-retry': async (_name, error) => {
    let calls = 0;
    await pRetry(
      () => {
        calls++;
        throw error;
      },
      { retries: 1, minTimeout: 0 },
    ).catch(() => {});
    return calls > 1;
  },
};
