import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OtlpReceiver, startOtlpReceiver } from '@tooling/otlp-receiver';
import { connect, gather, say } from './support/a2a.ts';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { get, post } from './support/http.ts';

const incoming = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

let collector: OtlpReceiver;
let agent: TestAgent;
beforeAll(async () => {
  collector = await startOtlpReceiver();
  agent = await startTestAgent(`observability:\n  tracing:\n    enabled: true\n    endpoint: ${collector.url}\n`);
  await post(
    agent.urls.messages,
    { text: 'Hello' },
    { 'x-request-id': 'request-1', traceparent: `00-${incoming.traceId}-${incoming.spanId}-01` },
  );
  const client = await connect(agent.urls.agent, 'JSONRPC');
  await gather(client.sendMessageStream(say('Hello', { messageId: 'message-1', contextId: 'context-1' })));
});
afterAll(async () => {
  await collector[Symbol.asyncDispose]();
});

describe('one request, seen from everywhere', () => {
  test('OL3: as a log line with its request id, its trace id and the agent', async () => {
    const [request] = await agent.logged('agent.request');
    expect(request).toMatchObject({
      request_id: 'request-1',
      trace_id: incoming.traceId,
      agent_id: 'reference-agent',
      protocol: 'http',
      outcome: 'ok',
      status: 200,
    });
    const [call] = await agent.logged('llm.call');
    expect(call).toMatchObject({
      request_id: 'request-1',
      trace_id: incoming.traceId,
      provider: 'local',
      model: 'local-scripted',
      input_tokens: 1,
    });
  });
});

describe('the metrics', () => {
  let text: string;
  beforeAll(async () => {
    text = (await get(agent.urls.metrics ?? '')).text;
  });

  /** The value of the first line that begins with `series`. */
  const value = (series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(series))
        ?.split(' ')
        .at(-1),
    );

  test('OM2 OM11: count the requests of each protocol by what they ask for, and time them', () => {
    const http = 'protocol="http",method="messages",stream="false",outcome="ok"';
    const a2a = 'protocol="a2a",method="SendStreamingMessage",stream="true",outcome="ok"';
    expect(value(`sage_agent_requests_total{${http}}`)).toBe(1);
    expect(value(`sage_agent_requests_total{${a2a}}`)).toBe(1);
    const timed = 'sage_agent_request_duration_seconds_count{protocol="a2a",method="SendStreamingMessage"';
    expect(value(timed)).toBe(1);
  });

  test('OM6 OM7: count the calls of the model and its tokens', () => {
    const model = 'provider="local",model="local-scripted"';
    expect(value(`sage_llm_calls_total{${model}`)).toBe(2);
    expect(value(`sage_llm_tokens_total{${model},type="input"}`)).toBe(2);
    expect(value(`sage_llm_tokens_total{${model},type="output"}`)).toBe(32);
  });

  test('OM1: tell the state of the agent', () => {
    expect(value('sage_agent_state{state="started"}')).toBe(1);
    expect(value('sage_health_probe_up{probe="ready"}')).toBe(1);
  });

  test('tell nothing of users, requests and conversations', () => {
    for (const name of ['request-1', 'message-1', 'context-1', '127.0.0.1"']) expect(text).not.toContain(name);
  });
});

describe('the spans, once the agent has ended', () => {
  beforeAll(() => agent.close());

  const named = (pattern: RegExp, traceId?: string) =>
    collector.spans.filter((span) => pattern.test(span.name) && (traceId === undefined || span.traceId === traceId));

  test('OT1 OT2 OT3: a span of the request goes on with the trace that came with it', () => {
    const own = collector.spans.filter(({ traceId }) => traceId === incoming.traceId);
    const root = own.find(({ parentSpanId }) => parentSpanId === incoming.spanId);
    expect(root).toMatchObject({ name: 'messages', attributes: { 'sage.request.id': 'request-1' } });
    expect(own.length).toBeGreaterThan(2);
    const ids = new Set([incoming.spanId, ...own.map(({ spanId }) => spanId)]);
    for (const { parentSpanId } of own) expect(ids).toContain(parentSpanId);
  });

  test('a request over A2A is named by its method', () => {
    const root = collector.spans.find(
      ({ name, parentSpanId }) => name === 'SendStreamingMessage' && parentSpanId === '',
    );
    expect(root?.attributes).toMatchObject({ 'a2a.method.name': 'SendStreamingMessage', 'sage.protocol': 'a2a' });
  });

  test('OT8: spans within a message name the agent, the message, the conversation, the user and the protocol', () => {
    const call = named(/chat/).find(({ attributes }) => attributes['sage.protocol'] === 'a2a');
    expect(call?.attributes).toMatchObject({
      'gen_ai.agent.id': 'reference-agent',
      'sage.message.id': 'message-1',
      'gen_ai.conversation.id': 'context-1',
      'user.id': '127.0.0.1',
      'gen_ai.provider.name': 'local',
    });
  });

  test('OT4: the call of the model is a span with provider, model and usage', () => {
    const [call] = named(/chat/, incoming.traceId);
    expect(call?.attributes).toMatchObject({
      'gen_ai.request.model': 'local-scripted',
      'gen_ai.usage.input_tokens': 1,
    });
    expect(call?.events.length).toBeGreaterThan(0);
  });

  test('OT5: so is each operation of the storage', () => {
    expect(named(/storage|conversations/, incoming.traceId).length).toBeGreaterThan(0);
  });
});
