import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { descendants } from '../src/process-tree.js';
import { isRunning, until } from './support.ts';

const script = fileURLToPath(new URL('../src/with-services.js', import.meta.url));
const waiting = 'console.log("ready"); setInterval(() => {}, 1000)';
const launcher = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(waiting)}], { stdio: 'inherit' })`;
/** Enough where the number of servers does not matter. */
const redisOnly = { POSTGRES_URL: 'postgres://192.0.2.1/test' };

interface Run {
  readonly pid: number;
  /** What it wrote so far, both streams. */
  readonly said: () => string;
  readonly exited: Promise<number | null>;
}

/** Runs with-services as the leader of a process group of its own. */
function runWithServices(
  command: readonly string[],
  env: Record<string, string> = {},
  nodeOptions: string[] = [],
): Run {
  const inherited = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = spawn(process.execPath, [...nodeOptions, script, ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const exited = once(child, 'close').then(() => child.exitCode);
  return { pid: Number(child.pid), said: () => said, exited };
}

async function allBelow(run: Run): Promise<number[]> {
  await until(() => run.said().includes('ready'));
  return descendants(run.pid);
}

async function expectNothingLeft(run: Run, end: (run: Run) => void, code: number): Promise<void> {
  const below = await allBelow(run);
  expect(below.length).toBeGreaterThan(0);
  end(run);
  expect(await run.exited).toBe(code);
  expect(below.filter(isRunning)).toEqual([]);
}

const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const node = (code: string): string[] => [process.execPath, '-e', code];

describe('with-services', () => {
  test('hands the URLs to the command, exits with its code and leaves nothing running', async () => {
    const run = runWithServices(node('console.log(process.env.REDIS_URL, process.env.POSTGRES_URL); process.exit(7)'));
    let below: number[] = [];
    await until(() => {
      below = descendants(run.pid);
      return run.said().includes('://') && below.length > 0;
    });
    expect(await run.exited).toBe(7);
    expect(run.said()).toMatch(/^redis (\S+ from .+ at redis:\/\/127\.0\.0\.1:\d+|skipped: .+)$/m);
    expect(run.said()).toMatch(
      /^postgres (\S+ from .+ at postgres:\/\/postgres@127\.0\.0\.1:\d+\/postgres|skipped: .+)$/m,
    );
    expect(below.filter(isRunning)).toEqual([]);
  });

  test('SIGINT to its process group, as Ctrl-C sends it, leaves nothing running', async () => {
    await expectNothingLeft(runWithServices(node(waiting)), (run) => process.kill(-run.pid, 'SIGINT'), 130);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s to itself alone ends even a command that only waits for its child', async (signal, code) => {
    const run = runWithServices(node(launcher), redisOnly);
    await expectNothingLeft(run, () => process.kill(run.pid, signal), code);
  });

  test('a crash of its own ends everything and exits with 1', async () => {
    const crash = 'data:text/javascript,process.once("SIGUSR2",()=>{throw new Error("crashed")})';
    const run = runWithServices(node(waiting), redisOnly, ['--import', crash]);
    await expectNothingLeft(run, () => process.kill(run.pid, 'SIGUSR2'), 1);
    expect(run.said()).toContain('Error: crashed');
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('even SIGKILL leaves no server running', async () => {
    // Nobody is left to remove the servers' folders, so they go into one of ours.
    const folder = mkdtempSync('/tmp/sage-killed-test-');
    chmodSync(folder, 0o755);
    const run = runWithServices(node(waiting), { TMPDIR: folder });
    const servers = (await allBelow(run)).filter((pid) => !commandLine(pid).includes('setInterval'));
    process.kill(run.pid, 'SIGKILL');
    await until(() => !servers.some(isRunning));
    process.kill(-run.pid, 'SIGKILL');
    await run.exited;
    expect(servers.length).toBeGreaterThan(0);
    rmSync(folder, { recursive: true, maxRetries: 5 });
  });
});

describe('with-services where no server can be had', () => {
  const none = { SAGE_SERVICES_SOURCES: 'none' };

  test('prints each reason, tells the command and runs it without the URLs', async () => {
    const show = '[process.env.REDIS_URL, process.env.POSTGRES_URL, process.env.SAGE_SERVICES_SKIPPED]';
    const run = runWithServices(node(`console.log(JSON.stringify(${show}))`), none);
    expect(await run.exited).toBe(0);
    const reason = 'SAGE_SERVICES_SOURCES=none allows no source';
    expect(run.said()).toContain(`redis skipped: ${reason}`);
    expect(run.said()).toContain(`postgres skipped: ${reason}`);
    expect(run.said()).toContain(JSON.stringify([null, null, `redis: ${reason}\npostgres: ${reason}`]));
  });

  test.each([{ SAGE_REQUIRE_SERVICES: '1' }, { CI: 'true' }])(
    '%p makes that an error and does not run the command',
    async (env) => {
      const run = runWithServices(node('console.log("ran")'), { ...none, ...env });
      expect(await run.exited).toBe(1);
      expect(run.said()).toContain('redis and postgres required (SAGE_REQUIRE_SERVICES=1 or CI=true) but skipped');
      expect(run.said()).not.toContain('ran\n');
    },
  );

  test('names every source it tried when none is on an empty PATH', async () => {
    const run = runWithServices(node('0'), { PATH: '', SAGE_SERVICES_SOURCES: 'path,debian,docker' });
    await run.exited;
    expect(run.said()).toContain(
      'redis skipped: no redis-server on the PATH; Debian packages: this system has no apt-get; no docker',
    );
  });

  test('a service that is named is used as it is, its password not printed', async () => {
    const named = { REDIS_URL: 'redis://me:secret@192.0.2.1:6379', POSTGRES_URL: 'postgres://192.0.2.1/test' };
    const run = runWithServices(node('process.exit(process.env.REDIS_URL.includes("secret") ? 0 : 9)'), named);
    expect(await run.exited).toBe(0);
    expect(run.said()).toContain('redis from REDIS_URL at redis://me:***@192.0.2.1:6379');
    expect(run.said()).not.toContain('secret');
  });

  test.each([
    ['a command killed by a signal', ['sh', '-c', 'kill -TERM $$'], 143],
    ['a command that does not exist', ['no-such-command'], 127],
    ['no command', [], 2],
  ])('the exit code tells of %s', async (_what, command, code) => {
    expect(await runWithServices(command, none).exited).toBe(code);
  });
});
