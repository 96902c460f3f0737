import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { emit } from '@sage-adk/core';
import { verifyAudit } from '@sage-adk/logging/audit';
import type { DeadLetter } from '@sage-adk/recovery/dead-letters';
import { createRedisDeadLetters } from '@sage-adk/recovery/dead-letters/redis';
import { startOtlpReceiver } from '@tooling/otlp-receiver';
import { describeWithService } from '@tooling/services';
import { createClient } from 'redis';
import { startTestAgent } from './support/agent.ts';
import { redisYaml } from './support/fleet.ts';
import { get, post } from './support/http.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const apiKey = 'sk-live-0123456789abcdef';
const seal = 'the-seal-of-the-audit-log';

/** A provider that refuses every call with `message`. */
async function startRefusing(message: string) {
  const credentials: unknown[] = [];
  const server = createServer((request, response) => {
    credentials.push(request.headers.authorization);
    request.resume();
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: (key: string) => credentials.filter((credential) => credential === `Bearer ${key}`).length,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

test.each(['json', 'text'])(
  'OC5: the key of a provider appears in no sink, whatever the provider says: no log of %s, audit record, span, metric or answer',
  async (format) => {
    await using collector = await startOtlpReceiver();
    // As OpenAI does it: the key stands in the message of the error.
    const message = `Incorrect API key provided: ${apiKey}.`;
    await using provider = await startRefusing(message);
    const folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
    await writeFile(join(folder, 'key'), `${apiKey}\n`);
    await writeFile(join(folder, 'seal'), `${seal}\n`);
    const audit = join(folder, 'audit');
    const logFile = join(folder, 'agent.log');
    const agent = await startTestAgent(
      `llm:
  provider: main
  model: gpt-5-mini
  providers:
    main:
      kind: openai
      base_url: ${provider.url}
      api_key_file: ${join(folder, 'key')}
observability:
  logging:
    level: DEBUG
    format: ${format}
    audit:
      enabled: true
      folder: ${audit}
      key_file: ${join(folder, 'seal')}
  tracing:
    enabled: true
    endpoint: ${collector.url}
recovery:
  retry:
    max_attempts: 1
`,
      { logFile },
    );
    const answers = [await post(agent.urls.messages, { text: 'Hello' })];
    answers.push(await post(agent.urls.messages, { text: 'Hello' }, { accept: 'text/event-stream' }));
    emit('error.critical', { source: 'llm', reason: 'auth', message: `${message} ${seal}` });
    const metrics = (await get(agent.urls.metrics ?? '')).text;
    const logs = await readFile(logFile, 'utf8');
    await agent.close();
    const records = await Promise.all((await readdir(audit)).map((file) => readFile(join(audit, file), 'utf8')));
    const spans = JSON.stringify(collector.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    await rm(folder, { recursive: true });

    expect(provider.asked(apiKey)).toBe(2);
    expect(spans).toContain('SAGE_LLM_REFUSED');
    for (const sink of [logs, records.join('')]) expect(sink).toContain('Incorrect API key provided: [redacted]');
    for (const sink of [logs, records.join(''), spans, metrics, JSON.stringify(answers)]) {
      expect(sink).not.toContain(apiKey);
      expect(sink).not.toContain(seal);
    }
  },
);

describeWithService('redis', 'dead letters', (url) => {
  test('OC5: the key of a provider is in no dead letter, though it has no shape of a key; what the user wrote is', async () => {
    const key = 'open sesame of the provider';
    const prefix = `secrets_${randomUUID().slice(0, 8)}`;
    await using provider = await startRefusing(`Incorrect API key provided: ${key}.`);
    const agent = await startTestAgent(
      `llm:
  provider: main
  model: gpt-5-mini
  providers:
    main: { kind: openai, base_url: '${provider.url}', api_key: ${key} }
recovery:
  dlq: { enabled: true, storage: redis }
${redisYaml(url, prefix)}`,
    );
    const { status } = await post(agent.urls.messages, { text: 'Do you know sk-0123456789abcdef?' });
    await agent.close();
    const client = createClient({ url });
    await client.connect();
    const letters: DeadLetter[] = [];
    const deadLetters = createRedisDeadLetters({
      client,
      prefix: `${prefix}:dlq`,
      queue: 'messages',
      deadlineMs: 10_000,
    });
    for await (const letter of deadLetters.query()) letters.push(letter);
    await client.del(await client.keys(`{${prefix}:dlq*`));
    await client.close();
    expect([status, provider.asked(key)]).toEqual([502, 1]);
    expect(letters.map(({ payload }) => payload)).toMatchObject([{ text: 'Do you know sk-0123456789abcdef?' }]);
    expect(letters[0]?.error.message).toContain('answered 401');
    expect(JSON.stringify(letters)).not.toContain(key);
  });
});

test('OC5: what happens to the security of the agent is in its audit log, sealed, with who asked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
  await writeFile(join(folder, 'seal'), seal);
  const audit = join(folder, 'audit');
  const agent = await startTestAgent(
    `server:\n  api_keys:\n    - id: ada\n      sha256: ${'a'.repeat(64)}\n` +
      `observability:\n  logging:\n    audit: { enabled: true, folder: ${audit}, key_file: ${join(folder, 'seal')} }\n`,
  );
  const { status } = await post(agent.urls.messages, { text: 'Hello' }, { authorization: 'Bearer guessed' });
  await agent.close();
  const { ok, chains } = verifyAudit({ folder: audit, key: seal });
  await rm(folder, { recursive: true });
  expect([status, ok]).toEqual([401, true]);
  expect(chains.flatMap(({ records }) => records.map(({ event }) => event))).toEqual([
    'audit.opened',
    'security.violation',
    'audit.closed',
  ]);
});
