import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTooOld } from '../src/node-version.ts';
import { spawnAgent } from './support/process.ts';

let folder: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
  config = await write('agent.yaml', freePorts);
});
afterAll(() => rm(folder, { recursive: true }));

const freePorts = 'server:\n  port: 0\nobservability:\n  metrics:\n    port: 0\n  health:\n    port: 0\n';

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('a start', () => {
  test('prints what to open before the first log line, and a curl line that works as pasted', async () => {
    const agent = spawnAgent(['--config', config]);
    const [, curl = ''] = await agent.printed(/^ {2}(curl .*)$/m);
    const card = /^Agent card +(\S+)$/m.exec(agent.stdout())?.[1] ?? '';
    expect((await fetch(card)).status).toBe(200);
    const { stdout } = await promisify(execFile)('sh', ['-c', curl]);
    expect(JSON.parse(stdout)).toMatchObject({ text: 'Nice to meet you, Ada. I will remember your name.' });
    await agent.printed(/"operation":"agent\.request"/);
    const [block = '', ...lines] = agent.stdout().split('\n\n{');
    expect(block).toMatch(/^Agent +http/);
    expect(lines).toHaveLength(1);
    agent.child.kill('SIGTERM');
    expect(await agent.ended()).toBe(0);
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    '%s ends it with exit code 0 and the last line written',
    async (signal) => {
      const agent = spawnAgent(['--config', config]);
      await agent.printed(/"to":"started"/);
      agent.child.kill(signal);
      expect(await agent.ended()).toBe(0);
      expect(agent.stdout().trim().split('\n').at(-1)).toContain('"to":"stopped"');
      expect(agent.stderr()).toBe('');
    },
  );

  test('a request that has arrived when SIGTERM comes is still answered, and is the last of its connection', async () => {
    const agent = spawnAgent(['--config', config]);
    const [, url = ''] = await agent.printed(/^Messages +(\S+)$/m);
    const body = '{"text":"Hello"}';
    const sending = request(url, {
      method: 'POST',
      agent: new Agent({ keepAlive: true }),
      headers: { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' },
    });
    sending.flushHeaders();
    await once(sending, 'continue');
    agent.child.kill('SIGTERM');
    await agent.printed(/"to":"draining"/);
    sending.end(body);
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(response.headers.connection).toBe('close');
    expect(await agent.ended()).toBe(0);
  });
});

describe('what cannot start says so in one line and exits with 1', () => {
  async function failure(args: readonly string[], nodeOptions: readonly string[] = []): Promise<string> {
    const agent = spawnAgent(args, nodeOptions);
    expect(await agent.ended()).toBe(1);
    expect(agent.stdout()).toBe('');
    return agent.stderr();
  }

  test('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const file = await write('taken.yaml', freePorts.replace('port: 0', `port: ${port}`));
    expect(await failure(['--config', file])).toBe(`Port ${port} of 127.0.0.1 is in use. Set another server.port.\n`);
    server.close();
  });

  test('a mistake in the configuration', async () => {
    const file = await write('wrong.yaml', 'server:\n  prot: 1\n');
    expect(await failure(['--config', file])).toBe(`${file}:2:3: unknown key server.prot; did you mean port?\n`);
  });

  test('an unknown option', async () => {
    expect(await failure(['--confg'])).toMatch(/^Unknown option '--confg'.* See --help\.\n$/);
  });

  test('a Node that is too old', async () => {
    const old = "data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.19.5'}})";
    expect(await failure(['--config', config], ['--import', old])).toBe(
      'The agent needs Node 22.12 or newer; this is 20.19.5.\n',
    );
  });

  test.each([
    ['18.20.0', true],
    ['22.11.9', true],
    ['22.12.0', false],
    ['24.0.0', false],
  ])('Node %s is too old: %s', (version, old) => {
    expect(isTooOld(version)).toBe(old);
  });
});

test('--help says how it is used', async () => {
  const agent = spawnAgent(['--help']);
  expect(await agent.ended()).toBe(0);
  expect(agent.stdout()).toMatch(/--config FILE/);
});
