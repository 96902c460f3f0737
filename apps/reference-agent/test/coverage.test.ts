/** What can be observed is observed: each operation and event of the catalogue as what the catalogue says it is, and those of the agent in a run of the agent. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  emit,
  type EndOf,
  type EventName,
  type Events,
  observe,
  operate,
  type OperationName,
  run,
  type StartOf,
} from '@sage-adk/core';
import { catalogue } from '@sage-adk/core/catalogue';
import { createFaultyProvider, type FaultyProvider } from '@sage-adk/llm/testing';
import { createLogger, observeLogging } from '@sage-adk/logging';
import { createMetrics } from '@sage-adk/metrics';
import { metricCatalogue } from '@sage-adk/metrics/catalogue';
import { startTracing } from '@sage-adk/tracing/sdk';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '@tooling/otlp-receiver';
import { connect, gather, say } from './support/a2a.ts';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { get, post } from './support/http.ts';

const operations = Object.keys(catalogue.operations) as OperationName[];
const events = Object.keys(catalogue.events) as EventName[];
type Line = Readonly<Record<string, unknown>>;

/** All that each may say. A new operation without a fixture is no valid program. */
const fixtures: { readonly [N in OperationName]: { readonly start: StartOf<N>; readonly end: EndOf<N> } } = {
  'agent.request': { start: { protocol: 'a2a', method: 'SendMessage', stream: false }, end: { status: 200, llmMs: 1 } },
  'agent.middleware': { start: { middleware: 'limit' }, end: { beforeMs: 1, afterMs: 1 } },
  'llm.call': {
    start: { provider: 'openai', model: 'gpt-5', api: 'chat', stream: true },
    end: {
      responseModel: 'gpt-5-1',
      finishReason: 'stop',
      inputTokens: 10,
      outputTokens: 20,
      cachedInputTokens: 1,
      cacheWriteTokens: 2,
      longCacheWriteTokens: 1,
      reasoningTokens: 3,
      costNanoUsd: 5n,
      firstTokenMs: 1,
      attempts: 1,
    },
  },
  'storage.get': { start: { store: 'redis', namespace: 'n' }, end: { hit: true } },
  'storage.set': { start: { store: 'redis', namespace: 'n' }, end: { written: true } },
  'storage.delete': { start: { store: 'redis', namespace: 'n' }, end: { deleted: true } },
  'storage.list': { start: { store: 'redis', namespace: 'n' }, end: { count: 1 } },
  'cache.get': { start: { cache: 'answers', tier: 'redis' }, end: { hit: true, stale: false } },
  'protocol.handshake': { start: { protocol: 'sage', role: 'initiator' }, end: { stage: 'done' } },
  'protocol.sign': { start: { algorithm: 'ed25519' }, end: { bytes: 1 } },
  'protocol.verify': { start: { algorithm: 'ed25519' }, end: { bytes: 1 } },
  'did.resolve': { start: { method: 'web' }, end: { cached: false } },
  'a2a.send': {
    start: { method: 'SendMessage', stream: false },
    end: { status: 200, taskState: 'completed', messageId: 'm', taskId: 't' },
  },
  'a2a.receive': {
    start: { method: 'SendMessage', stream: false },
    end: { status: 200, taskState: 'completed', messageId: 'm', taskId: 't' },
  },
  'mcp.call': { start: { method: 'tools/call', role: 'client' }, end: { tool: 'search', errorCode: 0 } },
  'tool.call': { start: { tool: 'search' }, end: { callId: 'c' } },
  'limiter.check': { start: { store: 'redis', rules: 1 }, end: { allowed: true, rule: 'r', degraded: false } },
  'retry.attempt': { start: { dependency: 'openai', attempt: 1 }, end: { reason: 'overloaded', delayMs: 1 } },
  'fallback.step': {
    start: { chain: 'llm', target: 'b', tier: 'fallback' },
    end: { reason: 'overloaded', degraded: false },
  },
  'queue.wait': { start: { queue: 'messages' }, end: { depth: 1, priority: 1 } },
  'pool.acquire': { start: { pool: 'postgres' }, end: { waiting: 0 } },
  'dlq.put': { start: { store: 'memory', queue: 'messages' }, end: { duplicate: false } },
  'dlq.replay': { start: { store: 'memory', queue: 'messages' }, end: { attempt: 1, origin: '' } },
  'health.check': { start: { check: 'redis', critical: true }, end: { status: 'pass' } },
};

const eventFixtures: { readonly [E in EventName]: Events[E] } = {
  'agent.state': { from: 'starting', to: 'started' },
  'breaker.changed': { dependency: 'openai', from: 'closed', to: 'open', reason: 'failures' },
  'limiter.denied': { rule: 'r', unit: 'requests', scope: 'user', mode: 'enforce', retryAfterMs: 1 },
  'budget.exhausted': { rule: 'r', period: 'day', handling: 'reject' },
  'timeout.fired': { operation: 'llm.call', timeoutMs: 1 },
  'fallback.used': { chain: 'llm', from: 'a', to: 'b', reason: 'overloaded' },
  'error.critical': { source: 'storage', reason: 'degraded', message: 'm' },
  'security.violation': { kind: 'authentication', reason: 'unknown_key' },
  'config.changed': { keys: ['llm'] },
  'lease.expired': { rule: 'r', held: 1 },
};

const linesIn = async (file: string): Promise<readonly Line[]> =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const hasSamples = (text: string, metric: string): boolean =>
  new RegExp(`^${metric}(_count)?(\\{[^}]*\\})? `, 'm').test(text);

/** What an operation became among these spans: one of its own, an event on another, or nothing. */
const traced = (spans: readonly ReceivedSpan[], name: string, own: (span: ReceivedSpan) => boolean): string => {
  if (spans.some(own)) return 'span';
  return spans.some((span) => span.events.some((event) => event.name === name)) ? 'event' : 'none';
};
/** A step that is shorter than a millisecond is an event, and on a busy machine none is. */
const wantedTrace = (name: OperationName, found: string): string => {
  const { trace, spanFromMs } = catalogue.operations[name];
  return spanFromMs !== undefined && found === 'event' ? 'event' : trace;
};

describe('OC6: every operation and event of the catalogue, driven by a fixture', () => {
  let text: string;
  let lines: readonly Line[];
  let spans: readonly ReceivedSpan[];
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coverage-'));
    const file = join(folder, 'all.log');
    await using collector = await startOtlpReceiver();
    const metrics = createMetrics({ runtime: false });
    const logger = createLogger({ level: 'DEBUG', filePath: file });
    const logging = observeLogging(logger);
    const tracing = startTracing({ endpoint: collector.url, serviceName: 'coverage' });
    operations.forEach(drive);
    for (const name of events) emit(name, eventFixtures[name]);
    text = await metrics.registry.metrics();
    await tracing.shutdown();
    logging[Symbol.dispose]();
    await logger.close();
    await metrics.close();
    lines = await linesIn(file);
    spans = collector.spans.slice();
    await rm(folder, { recursive: true });
  });

  /** Inside a request that has the operation's name as its id: once well with all it may say, once well with nothing, once badly. */
  function drive<N extends OperationName>(name: N): void {
    const { start, end } = fixtures[name];
    run({ requestId: name }, () => {
      operate('agent.request', fixtures['agent.request'].start, () => {
        operate(name, start, (operation) => operation.set(end));
      });
    });
    operate(name, start, () => {});
    expect(() =>
      operate(name, start, () => {
        throw new Error('It fails.');
      }),
    ).toThrow('It fails.');
  }

  test.each(operations)('%s is counted and timed', (name) => {
    const counted = new RegExp(
      `^sage_operation_duration_seconds_count\\{operation="${name.replace('.', String.raw`\.`)}",outcome="(ok|error)"\\} (\\d+)$`,
      'gm',
    );
    const found = Object.fromEntries([...text.matchAll(counted)].map(([, outcome, value]) => [outcome, Number(value)]));
    if (name === 'agent.request' || name === 'llm.call') expect(found).toEqual({});
    else expect(found).toEqual({ ok: 2, error: 1 });
  });

  test.each(events)('%s is counted', (name) => {
    expect(text).toContain(`sage_events_total{event="${name}"} 1\n`);
  });

  test('every metric that comes from an operation or an event has a sample', () => {
    const from = (origin: string): boolean =>
      [...operations, ...events].some((name) => name === origin) || /^[a-z0-9]+\.\*$/.test(origin);
    const rows = metricCatalogue.filter((row) => row.from.split(',').some(from));
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.map(({ name }) => name).filter((name) => !hasSamples(text, name))).toEqual([]);
  });

  test.each(operations)('%s is a line at the level and in the category of the catalogue', (name) => {
    const { level, category } = catalogue.operations[name];
    const own = lines.filter(({ operation }) => operation === name);
    const well = own.filter(({ outcome }) => outcome === 'ok');
    expect(well.length).toBeGreaterThanOrEqual(2);
    for (const line of well) expect([line['level'], line['category']]).toEqual([level, category]);
    expect(own.filter(({ outcome }) => outcome === 'error').map((line) => line['level'])).toEqual(['WARN']);
  });

  test.each(events)('%s is a line at the level and in the category of the catalogue', (name) => {
    const { level, category } = catalogue.events[name];
    const own = lines.filter(({ event }) => event === name);
    expect(own.map((line) => [line['level'], line['category']])).toEqual([[level, category]]);
  });

  test.each(operations)('%s is a span or a span event, as the catalogue says', (name) => {
    const ofRequest = spans.filter(({ attributes }) => attributes['sage.request.id'] === name);
    const root = ofRequest.find(({ parentSpanId }) => parentSpanId === '');
    expect(root?.name).toBe('SendMessage');
    const found = traced(ofRequest, name, ({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(found).toBe(wantedTrace(name, found));
  });
});

/** What is a span's own mark, by the operation that it is of. */
const spanOf: { readonly [N in OperationName]?: (span: ReceivedSpan) => boolean } = {
  'agent.request': ({ parentSpanId, kind }) => parentSpanId === '' && kind === 2,
  'agent.middleware': ({ name }) => name.startsWith('middleware '),
  'llm.call': ({ attributes }) => attributes['gen_ai.operation.name'] === 'chat',
  'storage.get': ({ attributes }) => attributes['db.operation.name'] === 'get',
  'storage.set': ({ attributes }) => attributes['db.operation.name'] === 'set',
  'a2a.receive': ({ attributes, parentSpanId }) => 'a2a.method.name' in attributes && parentSpanId !== '',
};

/** What the agent does in the run below. */
const inTheRun: readonly OperationName[] = [
  'a2a.receive',
  'agent.middleware',
  'agent.request',
  'dlq.put',
  'dlq.replay',
  'fallback.step',
  'health.check',
  'llm.call',
  'queue.wait',
  'retry.attempt',
  'storage.get',
  'storage.set',
];

/** What it does not do there, and why. */
const notInTheRun: { readonly [N in OperationName]?: string } = {
  'a2a.send': 'this agent asks no other',
  'cache.get': 'it has no second tier of a cache',
  'did.resolve': 'it does not speak SAGE yet',
  'limiter.check': 'only where limits are in a shared store: test/limits/storage.test.ts',
  'mcp.call': 'it has no MCP server',
  'pool.acquire': 'its PostgreSQL driver does not tell; its Redis has one connection',
  'protocol.handshake': 'it does not speak SAGE yet',
  'protocol.sign': 'it does not speak SAGE yet',
  'protocol.verify': 'it does not speak SAGE yet',
  'storage.delete': 'it deletes no conversation; they end by their age',
  'storage.list': 'it lists no conversations',
  'tool.call': 'it has no tools',
};

describe('OC6: a run of the agent', () => {
  let first: FaultyProvider;
  let second: FaultyProvider;
  let collector: OtlpReceiver;
  let agent: TestAgent;
  let text: string;
  let lines: readonly Line[];
  const seen = new Set<string>();

  beforeAll(async () => {
    Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
    using _watching = observe({ name: 'coverage', operation: (name) => ({ end: () => void seen.add(name) }) });
    first = await createFaultyProvider({ text: 'One answers here.' });
    second = await createFaultyProvider({ text: 'Two answers here.' });
    collector = await startOtlpReceiver();
    agent = await startTestAgent(`
llm:
  provider: one
  model: gpt-5-mini
  providers:
    one: { kind: openai, base_url: '${first.url}/v1', api_key: any }
    two: { kind: anthropic, base_url: '${second.url}/v1', api_key: any }
observability:
  logging: { level: DEBUG }
  tracing: { enabled: true, endpoint: '${collector.url}' }
recovery:
  retry: { max_attempts: 2 }
  fallback:
    enabled: true
    llm_chain: [{ provider: two, model: claude-haiku-4-5, priority: 1 }]
  dlq: { enabled: true, auto_retry: true, retry_interval: 0.2 }
performance:
  concurrency: { worker_pool_size: 1 }
`);
    await scenario();
    while (!seen.has('dlq.replay')) await new Promise((resolve) => setTimeout(resolve, 20));
    text = (await get(agent.urls.metrics ?? '')).text;
    lines = await agent.logged();
    await agent.close();
  });
  afterAll(async () => {
    await collector[Symbol.asyncDispose]();
    await first.close();
    await second.close();
  });

  /** Messages over both protocols: answered at once, by a second try, by the second provider, and by nobody until later. */
  async function scenario(): Promise<void> {
    const { messages } = agent.urls;
    const down = { status: 503 } as const;
    // Its one worker is busy with the first of them.
    const many = () => Promise.all(Array.from({ length: 4 }, () => post(messages, { text: 'Hello' })));
    while (!seen.has('queue.wait')) await many();
    first.next(down);
    await post(messages, { text: 'Hello' });
    first.next(down, down);
    await post(messages, { text: 'Hello' });
    const client = await connect(agent.urls.agent, 'JSONRPC');
    await gather(client.sendMessageStream(say('Hello')));
    first.next(down, down);
    second.next(down, down);
    await post(messages, { text: 'Hello' });
  }

  test('has every operation of the list and no other, and of the rest it is said why', () => {
    const ofCatalogue = [...seen].filter((name) => (operations as readonly string[]).includes(name));
    expect(ofCatalogue.toSorted()).toEqual(inTheRun);
    expect([...inTheRun, ...Object.keys(notInTheRun)].toSorted()).toEqual(operations.toSorted());
  });

  test.each(inTheRun)('%s is counted in its scrape', (name) => {
    const own: { readonly [N in OperationName]?: string } = {
      'agent.request': 'sage_agent_requests_total{',
      'llm.call': 'sage_llm_calls_total{',
    };
    expect(text).toContain(own[name] ?? `sage_operation_duration_seconds_count{operation="${name}"`);
  });

  test.each(inTheRun)('%s is a line of its log at the level of the catalogue, or above where it failed', (name) => {
    const { level, category } = catalogue.operations[name];
    const own = lines.filter(({ operation }) => operation === name);
    expect(own.length).toBeGreaterThan(0);
    for (const line of own) {
      const failed = line['outcome'] === 'error' || line['outcome'] === 'timeout';
      expect(failed ? [level, 'WARN', 'ERROR'] : [level]).toContain(line['level']);
      expect(line['category']).toBe(category);
    }
  });

  test.each(inTheRun)('%s is in its traces what the catalogue says', (name) => {
    const found = traced(collector.spans, name, spanOf[name] ?? ((span) => span.name === name));
    expect(found).toBe(wantedTrace(name, found));
  });
});
