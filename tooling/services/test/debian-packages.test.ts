import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { unpackDebianPackages } from '../src/index.js';
import { unprivilegedUser } from '../src/folders.js';
import { onPath } from '../src/commands.js';

const module = new URL('../src/index.js', import.meta.url).href;
const suite = onPath('apt-get') && onPath('dpkg-deb') ? describe : describe.skip;

suite('debian packages unpacked privately', () => {
  const folder = mkdtempSync('/tmp/sage-debian-test-');
  chmodSync(folder, 0o777);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('two runs at once, neither root nor with package lists, get the same program and collide nowhere', async () => {
    const emptyLists = join(folder, 'lists');
    mkdirSync(emptyLists);
    const aptConfig = join(folder, 'apt.conf');
    writeFileSync(aptConfig, `Dir::State::lists "${emptyLists}";\n`);
    const cache = join(folder, 'cache');
    const code = `
      const { unpackDebianPackages } = await import(${JSON.stringify(module)});
      const { root, env } = await unpackDebianPackages(['redis-tools']);
      const { execFileSync } = await import('node:child_process');
      console.log(root, execFileSync('redis-cli', ['--version'], { env }).toString());`;
    const env = { PATH: process.env['PATH'], APT_CONFIG: aptConfig, XDG_CACHE_HOME: cache };
    const once = () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
        env,
        cwd: '/',
        ...unprivilegedUser(),
      });

    const [first, second] = await Promise.all([once(), once()]);
    expect(first.stdout).toMatch(/redis-tools redis-cli \d+\.\d+/);
    expect(second.stdout).toBe(first.stdout);
    const [system = ''] = readdirSync(join(cache, 'sage-adk'));
    expect(readdirSync(join(cache, 'sage-adk', system))).toEqual(['redis-tools']);
  });

  test('an unknown package is an error that says so', async () => {
    const aptConfig = join(folder, 'no-archive.conf');
    writeFileSync(aptConfig, 'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n');
    process.env['APT_CONFIG'] = aptConfig;
    await expect(unpackDebianPackages(['no-such-package'])).rejects.toThrow(
      /Debian packages no-such-package: .*Unable to locate package/,
    );
    delete process.env['APT_CONFIG'];
  });
});
