import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { LlmProvider } from '@sage-adk/core';
import { instrumentA2aClient } from '@sage-adk/core/a2a';
import { startOtlpReceiver } from '@tooling/otlp-receiver';
import { createLocalModel } from '../src/model/local-model.ts';
import { connect, gather, say } from './support/a2a.ts';
import { startTestAgent } from './support/agent.ts';
import { post } from './support/http.ts';
import { spawnAgent } from './support/process.ts';

test('OT2 OL4: two agents that talk A2A, plainly and by stream, are one trace without a gap, and their log lines have one request id', async () => {
  await using collector = await startOtlpReceiver();
  const folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
  const file = join(folder, 'callee.yaml');
  await writeFile(
    file,
    `server:\n  port: 0\n${tracedYaml('callee', collector.url)}  metrics:\n    port: 0\n  health:\n    port: 0\n`,
  );
  const callee = spawnAgent(['--config', file]);
  const [, url = ''] = await callee.printed(/^Agent +(\S+)$/m);
  const caller = await startTestAgent(tracedYaml('caller', collector.url), { provider: await asking(url) });
  const { status } = await post(caller.urls.messages, { text: 'Hello' }, { 'x-request-id': 'request-of-two' });
  const asked = await caller.logged('agent.request');
  await caller.close();
  callee.child.kill('SIGTERM');
  expect([status, await callee.ended()]).toEqual([200, 0]);
  await rm(folder, { recursive: true });

  const answered = callee
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ operation, method }) => operation === 'agent.request' && String(method).startsWith('Send'));
  expect(answered.map(({ method }) => method)).toEqual(['SendMessage', 'SendStreamingMessage']);
  for (const line of [...asked, ...answered]) {
    expect(line).toMatchObject({ request_id: 'request-of-two', trace_id: asked[0]?.['trace_id'] });
  }

  // Beside it stand what each agent reads at its start, and the card that was asked for before.
  const root = collector.spans.find(({ name }) => name === 'messages');
  const spans = collector.spans.filter(({ traceId }) => traceId === root?.traceId);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  for (const { spanId, parentSpanId } of spans) if (spanId !== root?.spanId) expect(ids).toContain(parentSpanId);
  for (const method of ['SendMessage', 'SendStreamingMessage']) {
    const sent = spans.find(({ service, name }) => service === 'caller' && name === method);
    const received = spans.find(({ service, parentSpanId }) => service === 'callee' && parentSpanId === sent?.spanId);
    expect(received).toMatchObject({ name: method, kind: 2 });
  }
  expect(spans.filter(({ service, name }) => service === 'callee' && name.startsWith('chat'))).toHaveLength(2);
});

function tracedYaml(service: string, endpoint: string): string {
  return `observability:\n  tracing:\n    enabled: true\n    service_name: ${service}\n    endpoint: ${endpoint}\n`;
}

/** The local model, which asks another agent twice before it answers. */
async function asking(url: string): Promise<LlmProvider> {
  const local = createLocalModel();
  const client = instrumentA2aClient(await connect(url, 'JSONRPC'));
  return {
    ...local,
    async *stream(request, options) {
      await client.sendMessage(say('Hello'));
      await gather(client.sendMessageStream(say('Hello')));
      yield* local.stream(request, options);
    },
  };
}
