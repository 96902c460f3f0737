import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { urlIn } from '../../src/storage/url.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-url-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['redis', 'redis://:secret@127.0.0.1/notanumber', 'wanted the number of a database'],
  ['redis', 'redis://:sec%ret@127.0.0.1', 'wanted a user and a password with each % written as %25'],
  ['redis', 'http://:secret@127.0.0.1', 'wanted a URL such as redis://host:6379'],
  ['postgres', 'postgres://ada:sec%ret@127.0.0.1/db', 'wanted a user and a password with each % written as %25'],
  ['postgres', 'secret', 'it holds no URL'],
] as const)('%s: a file that holds %s is told of by its key, without its password', async (block, text, problem) => {
  const file = join(folder, 'url');
  await writeFile(file, text);
  const error = await urlIn({ url_file: file }, block).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain(`${block}.url_file: ${file} cannot be read (${problem}`);
  expect(String(error)).not.toMatch(/secret|sec%ret/);
});

test('a file with a URL that a driver takes is read', async () => {
  const file = join(folder, 'url');
  await writeFile(file, 'rediss://ada:100%25@127.0.0.1:6379/3\n');
  expect(await urlIn({ url_file: file }, 'redis')).toBe('rediss://ada:100%25@127.0.0.1:6379/3');
});
