/** Three providers under the weather, which keep a book of what they did to which message: the truth that the agent is measured by. */
import { createFaultyProvider, type FaultyProvider, type ReceivedRequest } from '@sage-adk/llm/testing';
import { type FaultName, faults } from './faults.ts';
import { type Provider, providers, type Script } from './script.ts';

/** One request that a provider got. */
export interface Try {
  readonly provider: Provider;
  readonly message: number;
  /** What the script had in store for it. */
  readonly fault: FaultName | undefined;
  /** What became of it; kept up to date by the provider. */
  readonly request: ReceivedRequest;
}

export interface Sky extends AsyncDisposable {
  readonly urls: Readonly<Record<Provider, string>>;
  /** By the number of the message, in order. */
  readonly tries: ReadonlyMap<number, readonly Try[]>;
  /** Requests that all providers counted themselves. */
  requests(): number;
  /** Resolves when no provider answers anything any more. */
  idle(): Promise<void>;
}

export async function openSky(script: Script): Promise<Sky> {
  const tries = new Map<number, Try[]>();
  const open = (provider: Provider): Promise<FaultyProvider> =>
    createFaultyProvider({
      keepRequests: 0,
      respond(request) {
        const message = messageIn(request.body);
        const known = tries.get(message) ?? [];
        tries.set(message, known);
        const attempt = 1 + known.filter((one) => one.provider === provider).length;
        const { fault, behaviour } = script.lotOf(provider, message, attempt);
        known.push({ provider, message, fault, request });
        return { text: answerOf(provider, message), ...behaviour };
      },
    });
  const servers = await Promise.all(providers.map(open));
  return {
    urls: Object.fromEntries(providers.map((name, index) => [name, servers[index]?.url])) as Record<Provider, string>,
    tries,
    requests: () => servers.reduce((sum, { counters }) => sum + counters.requests, 0),
    idle: async () => void (await Promise.all(servers.map((server) => server.idle()))),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** What a message says, so that a provider knows which one it is. */
export function textOf(message: number): string {
  return `This is message ${message}. What do you say?`;
}

/** The one right answer of a provider to a message. No two are the same, so none can be taken for another; the first word alone tells whose it is. */
export function answerOf(provider: Provider, message: number): string {
  return `${provider} is the provider that answers message ${message} in a dozen words.`;
}

/** What spoiled a try: a fault of the script, or the agent would not wait any longer for what was only slow. Undefined where nothing did. */
export function spoilerOf({ fault, request }: Try): FaultName | 'given_up' | undefined {
  if (fault !== undefined && faults[fault].kind !== 'slow') return fault;
  return request.outcome === 'answered' ? undefined : 'given_up';
}

/** Whether it was spoiled by something that passes. */
export function isTransient(one: Try): boolean {
  const spoiler = spoilerOf(one);
  return spoiler === 'given_up' || (spoiler !== undefined && faults[spoiler].kind === 'transient');
}

function messageIn(body: unknown): number {
  const found = /This is message (\d+)\./.exec(JSON.stringify(body));
  if (found === null) throw new Error('The request holds no message of the drill.');
  return Number(found[1]);
}
