// Prints the CPU cost of a request of six operations: bare, and watched by the observers that the argument names.
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Context, observe, operate, run } from '@sage-adk/core';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createMetrics } from '@sage-adk/metrics';
import { startTracing } from '@sage-adk/tracing/sdk';
import { measure } from '../harness/measure.ts';
import type { TracingTimings } from '../topics/tracing.bench.ts';

const closedPort = 'http://127.0.0.1:9';
const discard = { write() {}, flush: () => Promise.resolve(), close: () => Promise.resolve() };

const observers: Readonly<Record<string, () => unknown>> = {
  'no-op': () => observe({ name: 'no-op', operation: () => ({ start() {}, end() {} }) }),
  metrics: () => createMetrics({ runtime: false }),
  'logging at INFO': () => observeLogging(createLogger({ level: 'INFO', backend: discard })),
  'logging at WARN': () => observeLogging(createLogger({ level: 'WARN', backend: discard })),
  tracing: () => startTracing({ serviceName: 'bench', endpoint: closedPort, samplingRate: 0 }),
  'tracing, tail': () => startTracing({ serviceName: 'bench', endpoint: closedPort, samplingRate: 0, tail: {} }),
};
for (const name of (process.argv[2] ?? '').split('+').filter(Boolean)) observers[name]?.();

// Requests that follow each other have no id in common but that of the agent: text that is kept for the last ids must not pay here. They are text in one piece,
// as they come in headers.
const contexts = Array.from(
  { length: 1_000 },
  (_, i) =>
    JSON.parse(
      JSON.stringify({ agentId: 'agent', requestId: randomUUID(), sessionId: randomUUID(), userId: `user-${i}` }),
    ) as Context,
);
const contextOf = (value: number): Context => ({ ...contexts[value % contexts.length] });

const request = { protocol: 'a2a', method: 'SendMessage', stream: false } as const;
const middleware = { middleware: 'limits' } as const;
const check = { store: 'redis', rules: 2 } as const;
const sessions = { store: 'redis', namespace: 'sessions' } as const;
const call = { provider: 'openai', model: 'gpt-5', api: 'chat', stream: false } as const;
const usage = { inputTokens: 12, outputTokens: 7, finishReason: 'stop', responseModel: 'gpt-5' } as const;
let sum = 0;

async function work(value: number): Promise<number> {
  return value + 1;
}

const watched = (value: number): Promise<number> =>
  operate('agent.request', request, async (operation) => {
    const answer = await operate('agent.middleware', middleware, async () => {
      await operate('limiter.check', check, () => work(value));
      await operate('storage.get', sessions, () => work(value));
      const text = await operate('llm.call', call, (model) => {
        model.set(usage);
        return work(value);
      });
      await operate('storage.set', sessions, () => work(value));
      return text;
    });
    operation.set({ status: 200 });
    return answer;
  });

const bare = async (value: number): Promise<number> => {
  const handle = async (): Promise<number> => {
    await work(value);
    await work(value);
    const text = await work(value);
    await work(value);
    return text;
  };
  return handle();
};

// The event loop turns as it does in a server: what is kept for one turn, as targets of weak references are, must not pile up.
const requestsPerTurn = 20;

function inTurns(handle: (value: number) => Promise<number>): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i++) {
      sum += await handle(i);
      if (i % requestsPerTurn === 0) await setImmediate();
    }
  };
}

// A call is short beside a request, so it is repeated until both take about as long.
const callsPerRequest = 20;

const timings = await measure(
  [
    {
      name: 'call',
      run: async (count) => {
        for (let i = 0; i < count * callsPerRequest; i++) sum += await work(i);
      },
    },
    { name: 'bare', run: inTurns((value) => run(contextOf(value), () => bare(value))) },
    { name: 'watched', run: inTurns((value) => run(contextOf(value), () => watched(value))) },
  ],
  2_500,
  21,
);
const result = Object.fromEntries(
  [...timings].map(([name, { medianNs }]) => [name, name === 'call' ? medianNs / callsPerRequest : medianNs]),
) as unknown as TracingTimings;
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
