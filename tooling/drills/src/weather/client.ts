/** Sends messages of A2A, plain ones and streams, and judges what came back by what its user saw. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { text as textFrom } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { type Provider, providers } from './script.ts';
import { answerOf, textOf } from './sky.ts';

/**
 * `answered` is the right answer of the provider that the agent names, whole and in time. `degraded` is what the agent says is no such answer. `failed` was told, and
 * `wrong` was not: a text that no provider gave, or not the one that was named.
 */
export type Verdict = 'answered' | 'degraded' | 'failed' | 'wrong';

export interface Seen {
  readonly message: number;
  readonly streamed: boolean;
  readonly verdict: Verdict;
  /** The provider, or the tier of a degraded answer, as the agent names it. */
  readonly servedBy: string | undefined;
  /** What was shown, in pieces that each began anew; the last is the answer. */
  readonly shown: readonly string[];
  /** Why it is no answer. */
  readonly problem?: string;
}

export interface ClientOptions {
  /** Of the agent's JSON-RPC. */
  readonly url: string;
  readonly messages: number;
  readonly ratePerSecond: number;
  /** Answers that are awaited at once; a machine that cannot keep up with the rate is asked more slowly, not all at once. */
  readonly atOnce: number;
  /** Longest time that a user waits for an answer. */
  readonly patienceMs: number;
  /** The models, and whose they are. */
  readonly providerOf: Readonly<Record<string, Provider>>;
}

/** Sends one message after the other in even steps. Every second one is a stream. */
export async function sendMessages(options: ClientOptions): Promise<readonly Seen[]> {
  const agent = new Agent({ keepAlive: true });
  const beganMs = performance.now();
  const seen: Seen[] = [];
  const awaited = new Set<Promise<void>>();
  for (let message = 0; message < options.messages; message++) {
    const waitMs = beganMs + (message * 1_000) / options.ratePerSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
    while (awaited.size >= options.atOnce) await Promise.race(awaited);
    const answer = ask(message, agent, options).then((one) => {
      seen.push(one);
      awaited.delete(answer);
    });
    awaited.add(answer);
  }
  await Promise.all(awaited);
  agent.destroy();
  return seen.toSorted((a, b) => a.message - b.message);
}

interface Answer {
  readonly shown: readonly string[];
  readonly metadata: { readonly model?: string; readonly degraded?: boolean } | undefined;
}

async function ask(message: number, agent: Agent, { url, patienceMs, providerOf }: ClientOptions): Promise<Seen> {
  const streamed = message % 2 === 1;
  const shown: string[] = [];
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await send(url, agent, bodyOf(message, streamed), signal);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${await textFrom(response)}`);
    const answer = streamed
      ? await readStream(response, shown)
      : readReply(JSON.parse(await textFrom(response)), shown);
    return { message, streamed, shown, ...judge(message, answer, providerOf) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { message, streamed, shown, verdict: 'failed', servedBy: undefined, problem };
  }
}

function judge(
  message: number,
  { shown, metadata = {} }: Answer,
  providerOf: ClientOptions['providerOf'],
): Pick<Seen, 'verdict' | 'servedBy' | 'problem'> {
  const { model = '', degraded = false } = metadata;
  const text = shown.at(-1) ?? '';
  if (degraded) return { verdict: 'degraded', servedBy: model };
  const provider = providerOf[model];
  if (provider !== undefined && text === answerOf(provider, message))
    return { verdict: 'answered', servedBy: provider };
  return { verdict: 'wrong', servedBy: provider, problem: `The model "${model}" is said to have answered: ${text}` };
}

/** Whose words a text is, by the first of them. */
export function speakerOf(text: string): Provider | undefined {
  return providers.find((name) => text.startsWith(`${name} `));
}

function bodyOf(message: number, streamed: boolean): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: message,
    method: streamed ? 'SendStreamingMessage' : 'SendMessage',
    params: { message: { messageId: `m-${message}`, role: 'ROLE_USER', parts: [{ text: textOf(message) }] } },
  });
}

function send(url: string, agent: Agent, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = {
    'content-type': 'application/json',
    'a2a-version': '1.0',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent, headers, signal }).on('response', resolve).on('error', reject).end(body);
  });
}

interface Parts {
  readonly parts?: readonly { readonly text?: string }[];
}

interface Event {
  readonly message?: Parts & { readonly metadata?: Answer['metadata'] };
  readonly task?: { readonly status?: Status };
  readonly artifactUpdate?: { readonly artifact: Parts; readonly append?: boolean };
  readonly statusUpdate?: { readonly status: Status; readonly metadata?: Answer['metadata'] };
}

interface Status {
  readonly state: string;
  readonly message?: Parts;
}

interface Rpc {
  readonly result?: Event;
  readonly error?: unknown;
}

function readReply({ result, error }: Rpc, shown: string[]): Answer {
  if (result?.message === undefined) throw new Error(problemOf(result?.task?.status) ?? JSON.stringify(error));
  shown.push(textIn(result.message));
  return { shown, metadata: result.message.metadata };
}

async function readStream(response: IncomingMessage, shown: string[]): Promise<Answer> {
  let end: Event['statusUpdate'];
  // To its very end: a client that leaves before is another thing.
  for await (const { result, error } of eventsOf(response)) {
    if (error !== undefined) throw new Error(JSON.stringify(error));
    const { artifactUpdate, statusUpdate } = result ?? {};
    if (artifactUpdate !== undefined) {
      const before = artifactUpdate.append === true ? (shown.pop() ?? '') : '';
      shown.push(before + textIn(artifactUpdate.artifact));
    }
    end = statusUpdate ?? end;
  }
  if (end?.status.state === 'TASK_STATE_COMPLETED') return { shown, metadata: end.metadata };
  throw new Error(problemOf(end?.status) ?? 'The stream ended before its task did.');
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<Rpc> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const blocks = (rest + String(chunk)).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield JSON.parse(data) as Rpc;
    }
  }
}

function textIn({ parts = [] }: Parts): string {
  return parts.map(({ text = '' }) => text).join('');
}

function problemOf(status: Status | undefined): string | undefined {
  return status && `${status.state}: ${textIn(status.message ?? {})}`;
}
