import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createScriptedLlm } from '@sage-adk/core/testing';
import { describeWithService, type Server, started, startPostgres, startRedis } from '@tooling/services';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { postgresYaml, redisYaml } from '../support/fleet.ts';
import { type Answer, get, post } from '../support/http.ts';

const storages = [
  {
    name: 'redis',
    // What was answered is on the disk.
    start: async () =>
      started(await startRedis({ fresh: true, args: ['--appendonly', 'yes', '--appendfsync', 'always'] })),
    yaml: redisYaml,
  },
  { name: 'postgres', start: async () => started(await startPostgres({ fresh: true })), yaml: postgresYaml },
] as const;

for (const { name, start, yaml } of storages) {
  describeWithService(name, `while ${name} is away`, () => {
    let server: Server;
    let running: TestAgent | undefined;
    beforeAll(async () => {
      server = await start();
    });
    afterEach(async () => {
      await running?.close();
      running = undefined;
    });
    afterAll(() => server.stop());

    /** Starts an agent that finds nothing spent. */
    async function startOn(limits: string, timeout?: string, more = ''): Promise<TestAgent> {
      const storage = yaml(server.url, `agent_${randomUUID().slice(0, 8)}`, timeout);
      running = await startTestAgent(`rate_limit:\n  storage: ${name}\n${limits}${storage}${more}`, {
        provider: createScriptedLlm(),
      });
      return running;
    }

    test('RL17 RL18: the agent goes by its share of the limit, shows it, and finds what was spent when the server is back', async () => {
      const agent = await startOn(
        '  strategy: sliding_window\n  instances: 2\n  per_user:\n    requests_per_hour: 8\n',
      );
      const say = () => post(agent.urls.messages, { text: 'x' });
      const remaining = async (answer: Promise<Answer>) => (await answer).headers.get('x-ratelimit-remaining');
      expect([await remaining(say()), await remaining(say())]).toEqual(['7', '6']);
      expect(await metric(agent, `sage_limiter_store_away{store="${name}"}`)).toBe(0);

      await server.kill();
      const statuses: number[] = [];
      for (let n = 0; n < 5; n++) statuses.push((await say()).status);
      expect(statuses).toEqual([200, 200, 200, 200, 429]);
      expect(await metric(agent, `sage_limiter_store_away{store="${name}"}`)).toBe(1);
      const denied = 'rule="user_requests_per_hour",outcome="denied",mode="enforce",source="local"';
      expect(await metric(agent, `sage_limiter_decisions_total{${denied}}`)).toBe(1);
      expect((await get(agent.urls.health ?? '')).status).toBe(200);

      await server.restart();
      expect(await remaining(untilOk(say))).toBe('5');
      expect(await metric(agent, `sage_limiter_store_away{store="${name}"}`)).toBe(0);
    });

    test('RL5: money is not spent while nobody can count it', async () => {
      const agent = await startOn(
        '  per_user:\n    max_cost_per_hour: 1\nllm:\n  price:\n    input: 1\n    output: 1\n',
      );
      const say = () => post(agent.urls.messages, { text: 'x' });
      expect((await say()).status).toBe(200);
      await server.kill();
      const refused = await say();
      expect(refused.status).toBe(503);
      expect(refused.json()['error']).toBe('rate_limit_unavailable');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await get(agent.urls.card)).status).toBe(200);
      await server.restart();
      await untilOk(say);
    });

    test('RL17 RL18: an agent that starts meanwhile goes by its share, is degraded, and takes part when the server is there', async () => {
      await server.kill();
      const agent = await startOn(
        '  strategy: sliding_window\n  instances: 2\n  per_user:\n    requests_per_hour: 8\n    max_cost_per_hour: 1\n',
        undefined,
        'llm:\n  price:\n    input: 1\n    output: 1\n',
      );
      const say = () => post(agent.urls.messages, { text: 'x' });
      // Money is not spent while nobody counts it; the requests are counted here.
      const statuses: number[] = [];
      for (let n = 0; n < 6; n++) statuses.push((await say()).status);
      expect(statuses).toEqual([503, 503, 503, 503, 429, 429]);
      const ready = await get(agent.urls.health ?? '');
      expect([ready.status, statusOf(ready, name)]).toEqual([200, 'warn']);
      expect(await metric(agent, 'sage_critical_errors_total{source="storage",reason="unreachable"}')).toBe(1);

      await server.restart();
      // More than the share has: it is the server that counts now.
      expect(Number((await untilOk(say)).headers.get('x-ratelimit-remaining'))).toBeGreaterThan(4);
      expect(await metric(agent, `sage_limiter_store_away{store="${name}"}`)).toBe(0);
    });

    test('a server that stalls is not waited for', async () => {
      const agent = await startOn('  per_user:\n    requests_per_hour: 100\n', '  timeout_ms: 200\n');
      const say = () => post(agent.urls.messages, { text: 'x' });
      await untilOk(say);
      await server.pause();
      for (let n = 0; n < 5; n++) expect((await say()).status).toBe(200);
      expect(await metric(agent, `sage_limiter_store_away{store="${name}"}`)).toBe(1);
      await server.resume();
      await until(async () => {
        await say();
        return (await metric(agent, `sage_limiter_store_away{store="${name}"}`)) === 0;
      });
    });
  });
}

async function metric(agent: TestAgent, series: string): Promise<number | undefined> {
  const { text } = await get(agent.urls.metrics ?? '');
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

function statusOf(ready: Answer, name: string): string | undefined {
  const { checks } = ready.json<{ checks: readonly { name: string; status: string }[] }>();
  return checks.find((check) => check.name === name)?.status;
}

async function untilOk(send: () => Promise<Answer>): Promise<Answer> {
  let answer = await send();
  await until(async () => {
    if (answer.status !== 200) answer = await send();
    return answer.status === 200;
  });
  return answer;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
