import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isOpenToAll } from '../src/folders.js';
import { readableBy } from '../src/postgres-binaries.js';

describe('programs for a user other than root', () => {
  let folder: string;
  let programs: string;

  beforeEach(() => {
    folder = mkdtempSync('/tmp/sage-binaries-test-');
    programs = join(folder, 'clone', 'native', 'bin');
    mkdirSync(programs, { recursive: true });
    writeFileSync(join(programs, 'postgres'), '');
    for (const path of [folder, join(folder, 'clone'), join(folder, 'clone', 'native'), programs])
      chmodSync(path, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const ourselves = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

  test('are run where they are when everyone may go there', async () => {
    expect(isOpenToAll(programs)).toBe(true);
    expect(await readableBy(ourselves, programs, folder)).toBe(programs);
  });

  test('are copied when a folder above them is closed, as /root is', async () => {
    chmodSync(join(folder, 'clone'), 0o700);
    expect(isOpenToAll(programs)).toBe(false);
    const copy = await readableBy(ourselves, programs, folder);
    expect(copy).toBe(join(folder, 'native', 'bin'));
    expect(statSync(join(copy, 'postgres')).isFile()).toBe(true);
  });

  test('are never copied when no other user runs them', async () => {
    chmodSync(join(folder, 'clone'), 0o700);
    expect(await readableBy(undefined, programs, folder)).toBe(programs);
  });
});
