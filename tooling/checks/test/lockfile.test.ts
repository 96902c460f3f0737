import { expect, test } from '@jest/globals';
import { addresses, machinePaths } from '../src/steps/lockfile.ts';

const entry = 'packages:\n  redis@6.3.1:\n    resolution: {integrity: sha512-abc}\n';

test('a lockfile of names, versions and hashes is fine', () => {
  expect(addresses(entry)).toEqual([]);
});

test.each([
  '    resolution: {tarball: x.tgz}',
  '    resolution: {integrity: a, registry: https://host/}',
  '  a@git+ssh://b:',
])('an address in the lockfile is found: %s', (line) => {
  expect(addresses(`${entry}${line}\n`)).toEqual([`pnpm-lock.yaml:4 names an address: ${line.trim()}`]);
});

test('a path of one machine is found, a path of a container is not', () => {
  const folders = ['/srv/me/sage-adk'];
  expect(machinePaths('a.md', 'see /srv/me/sage-adk/x', folders)).toHaveLength(1);
  expect(machinePaths('a.md', ['/Us', 'ers/me/x'].join(''), folders)).toHaveLength(1);
  expect(machinePaths('Dockerfile', 'WORKDIR /app\nCOPY . /home/node/app/', folders)).toEqual([]);
  expect(machinePaths('a.ts', "get('/v1/users/me')", folders)).toEqual([]);
});
