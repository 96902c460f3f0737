import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createScriptedLlm } from '@sage-adk/core/testing';
import { describeWithService } from '@tooling/services';
import postgres from 'postgres';
import { startTestAgent } from '../support/agent.ts';
import { postgresYaml, redisYaml } from '../support/fleet.ts';
import { get, post } from '../support/http.ts';
import { spawnAgent } from '../support/process.ts';

const storages = [
  { name: 'redis', yaml: redisYaml },
  { name: 'postgres', yaml: postgresYaml },
] as const;

/** Names what this run keeps in servers that others may use as well. */
const run = randomUUID().slice(0, 8);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

for (const { name, yaml } of storages) {
  const limit = `rate_limit:\n  storage: ${name}\n`;

  describeWithService(name, `limits in ${name}`, (url) => {
    test('an agent that the server refuses does not start, and says where without the password', async () => {
      const refused = new URL(url);
      Object.assign(refused, name === 'redis' ? { username: 'ada', password: 'lovelace' } : { pathname: '/nowhere' });
      const block = yaml(refused.href, `refused_${run}`);
      await expect(startTestAgent(`${limit}  global:\n    requests_per_hour: 1\n${block}`)).rejects.toMatchObject({
        code: 'SAGE_AGENT_STORAGE_UNREACHABLE',
        message: expect.stringMatching(
          new RegExp(`at ${refused.host} cannot be used \\((?!.*lovelace).*\\)\\. Check ${name}\\.url\\.$`),
        ),
      });
    });

    test('RL17 RL18: two processes have one limit, and end with exit code 0', async () => {
      const ports = 'server:\n  port: 0\nobservability:\n  metrics:\n    port: 0\n  health:\n    port: 0\n';
      const limits = `${limit}  strategy: sliding_window\n  global:\n    requests_per_hour: 3\n`;
      const file = await write(`${name}.yaml`, ports + limits + yaml(url, `two_processes_${run}`));
      const agents = [spawnAgent(['--config', file]), spawnAgent(['--config', file])];
      const urls: string[] = [];
      for (const agent of agents) {
        await agent.printed(/"to":"started"/);
        urls.push(/(http:\S+)\/v1\/messages/.exec(agent.stdout())?.[1] ?? '');
      }
      const statuses: number[] = [];
      for (let n = 0; n < 5; n++) statuses.push((await post(`${urls[n % 2]}/v1/messages`, { text: 'x' })).status);
      expect(statuses).toEqual([200, 200, 200, 429, 429]);
      for (const agent of agents) agent.child.kill('SIGTERM');
      expect(await Promise.all(agents.map((agent) => agent.ended()))).toEqual([0, 0]);
    });

    test('what an agent held when it stopped is free for the others, and its readiness names the server', async () => {
      const model = createScriptedLlm();
      const text = `${limit}  global:\n    max_concurrent: 1\n    tokens_per_day: 1000000\n${yaml(url, `stopping_${run}`)}`;
      const first = await startTestAgent(text, { provider: model, drainSeconds: 0.05 });
      const second = await startTestAgent(text);
      try {
        model.stallAfter(0);
        const given = post(first.urls.messages, { text: 'never to end' });
        while (model.calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        expect((await post(second.urls.messages, { text: 'x' })).status).toBe(429);
        await first.close();
        expect((await given).status).toBe(503);
        expect((await post(second.urls.messages, { text: 'x' })).status).toBe(200);
        const { checks } = (await get(second.urls.health ?? '')).json<{ checks: { name: string; status: string }[] }>();
        expect(checks).toContainEqual(expect.objectContaining({ name, status: 'pass' }));
      } finally {
        await second.close();
      }
    });

    test('the URL may stand in a file', async () => {
      const file = await write(`${name}-url`, `${url}\n`);
      const block = yaml('', `by_file_${run}`).replace('url: ', `url_file: ${file}`);
      const agent = await startTestAgent(`${limit}  global:\n    requests_per_hour: 1\n${block}`);
      expect((await post(agent.urls.messages, { text: 'x' })).status).toBe(200);
      expect((await post(agent.urls.messages, { text: 'x' })).status).toBe(429);
      await agent.close();
    });
  });

  if (name === 'postgres')
    describeWithService(name, 'the audit trail', (url) => {
      test('RL18: tells who was denied what, when asked in SQL', async () => {
        const at = `audit_${run}`;
        const block = yaml(url, at).replace('  schema', '  audit: denials\n  schema');
        const agent = await startTestAgent(`${limit}  per_user:\n    requests_per_hour: 1\n${block}`);
        for (const status of [200, 429, 429]) {
          expect((await post(agent.urls.messages, { text: 'x' })).status).toBe(status);
        }
        await agent.close();
        const sql = postgres(url);
        const rows = await sql`select rule, scope, allowed from ${sql(at)}.sage_limiter_audit`;
        const [top] = await sql`select rule, denials from ${sql(at)}.sage_limiter_top_denied`;
        await sql.end();
        const denial = { rule: expect.stringMatching(/^user_requests_per_hour~/), scope: 'user', allowed: false };
        // The second denial was known already, so nobody was asked.
        expect([...rows]).toEqual([denial]);
        expect(top).toEqual({ rule: denial.rule, denials: 1 });
      });
    });

  describe(`an agent whose ${name} cannot be used`, () => {
    const start = (block: string) => startTestAgent(`${limit}  global:\n    requests_per_hour: 1\n${block}`);

    test('starts where nobody answers, and says where it looked without the password', async () => {
      const agent = await start(yaml(`${name}://ada:secret@127.0.0.1:1`, 'nowhere'));
      const told = (await agent.logged()).filter(({ event }) => event === 'error.critical');
      expect([(await get(agent.urls.health ?? '')).status, (await get(agent.urls.card)).status]).toEqual([200, 200]);
      await agent.close();
      expect(told).toMatchObject([
        {
          level: 'ERROR',
          reason: 'unreachable',
          message: expect.stringMatching(new RegExp(`at 127\\.0\\.0\\.1:1 cannot be used .*Check ${name}\\.url\\.`)),
        },
      ]);
      expect(JSON.stringify(told)).not.toContain('secret');
    });

    test('does not start where the file of its URL is missing or holds none', async () => {
      const empty = await write('empty', '\n');
      for (const [file, reason] of [
        ['/nowhere/url', 'ENOENT'],
        [empty, 'it is empty'],
      ]) {
        await expect(start(`${name}:\n  url_file: ${file}\n`)).rejects.toThrow(
          `${name}.url_file: ${file} cannot be read (${reason}).`,
        );
      }
    });

    test('starts all the same where there is nothing to limit', async () => {
      const agent = await startTestAgent(`${limit}${yaml(`${name}://127.0.0.1:1`, 'unused')}`);
      expect((await post(agent.urls.messages, { text: 'x' })).status).toBe(200);
      await agent.close();
    });
  });
}
