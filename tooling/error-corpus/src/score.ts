/**
 * Scores who decides rightly whether the same target may be asked again, on the corpus: recovery's classifier on every error, and peers on what they see.
 *
 * The clients decide over a real connection, so each is scored on the errors that its own provider answers with. `if-idempotent` counts as either.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import { createOpenAI } from '@ai-sdk/openai';
import { GoogleGenAI } from '@google/genai';
import { createFaultyProvider, type ErrorName } from '@sage-adk/llm/testing';
import { createClassifier } from '@sage-adk/recovery';
import { generateText } from 'ai';
import OpenAI from 'openai';
import pRetry from 'p-retry';
import { readCorpus } from '../../../packages/recovery/test/classify/corpus.ts';
import { packageAndVersion } from './origin.ts';

interface Score {
  readonly right: number;
  readonly of: number;
  readonly wrong: readonly string[];
}

type Decide = (name: string, error: unknown) => Promise<boolean | undefined>;

const corpus = readCorpus();
const classifier = createClassifier();

async function score(decide: Decide): Promise<Score> {
  const wrong: string[] = [];
  let of = 0;
  for (const { name, error, label } of corpus) {
    const again = await decide(name, error);
    if (again === undefined) continue;
    of++;
    if (label.retry !== 'if-idempotent' && again !== (label.retry === 'yes')) wrong.push(name);
  }
  return { right: of - wrong.length, of, wrong };
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
  [packageAndVersion('openai')]: overTheWire('openai-chat', (url) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 1, logLevel: 'off' }).chat.completions.create({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: prompt }],
    }),
  ),
  [packageAndVersion('@anthropic-ai/sdk')]: overTheWire('anthropic', (url) =>
    new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 1, logLevel: 'off' }).messages.create({
      model: 'claude-next',
      max_tokens: 100,
      messages: [{ role: 'user', content: prompt }],
    }),
  ),
  [packageAndVersion('@google/genai')]: overTheWire('google-genai', (url) =>
    new GoogleGenAI({
      apiKey: 'any',
      httpOptions: { baseUrl: url, fetch, retryOptions: { attempts: 2 } },
    }).models.generateContent({ model: 'gemini-2.5-flash', contents: prompt }),
  ),
  [packageAndVersion('ai')]: overTheWire('ai-openai', (url) =>
    generateText({
      model: createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }).chat('gpt-4.1'),
      prompt,
      maxRetries: 1,
    }),
  ),
  [packageAndVersion('p-retry')]: async (_name, error) => {
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

const results: Record<string, Score> = {
  '@sage-adk/recovery': await score(async (_name, error) => {
    const { retry } = classifier.classify(error);
    return retry === 'yes';
  }),
};
for (const [name, decide] of Object.entries(peers)) results[name] = await score(decide);
for (const [name, { right, of }] of Object.entries(results)) console.log(`${name}: ${right} of ${of}`);
const files = readdirSync(new URL('../../../packages/recovery/test/fixtures/errors/', import.meta.url));
const record = {
  topic: 'Whether to ask the same target again, decided on recorded errors',
  date: new Date().toISOString(),
  node: process.version,
  shapes: corpus.length,
  origins: files.length - 1,
  results,
};
const target = new URL('../../../docs/results/classifier.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(record, undefined, 2)}\n`);
if (results['@sage-adk/recovery']?.wrong.length !== 0) process.exitCode = 1;
