import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loggingConfig, loggingFromConfig } from '../src/config.ts';
import { createLogger } from '../src/index.ts';

describe('the logging block', () => {
  test('OC1: an empty or missing block has a default for each key', () => {
    const expected = { level: 'INFO', format: 'json', samplingRate: 1 };
    expect(loggingFromConfig(loggingConfig.parse({}))).toEqual(expected);
    expect(loggingFromConfig(loggingConfig.parse(undefined))).toEqual(expected);
  });

  test('OL8: the keys of the block become options', () => {
    const block = {
      level: 'debug',
      format: 'text',
      output: 'file',
      file_path: '/var/log/agent.log',
      sampling_rate: 0.05,
    };
    expect(loggingFromConfig(loggingConfig.parse(block))).toEqual({
      level: 'DEBUG',
      format: 'text',
      filePath: '/var/log/agent.log',
      samplingRate: 0.05,
    });
  });

  test.each([
    ['an unknown key', { colour: true }, ''],
    ['an unknown level', { level: 'LOUD' }, 'level'],
    ['a rate above 1', { sampling_rate: 5 }, 'sampling_rate'],
    ['a file without its path', { output: 'file' }, 'file_path'],
    ['a bound without the output file', { max_bytes: 1_000 }, 'max_bytes'],
    ['a path without the output file', { file_path: '/tmp/x' }, 'file_path'],
  ])('refuses %s at its place', (_name, block, path) => {
    const { error } = loggingConfig.safeParse(block);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});

describe('each key of the block shows in what is written', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What stands in the file after a DEBUG and an INFO line. */
  async function written(block: object): Promise<string> {
    const path = join(mkdtempSync(join(folder, 'key-')), 'agent.log');
    const logger = createLogger(loggingFromConfig(loggingConfig.parse({ output: 'file', file_path: path, ...block })));
    logger.debug('detail');
    logger.info('told', { n: 1 });
    await logger.close();
    return readFileSync(path, 'utf8');
  }

  test('OC1: level', async () => {
    expect(await written({ level: 'DEBUG' })).toContain('detail');
    expect(await written({ level: 'info' })).not.toContain('detail');
    expect(await written({ level: 'WARN' })).toBe('');
  });

  test('OC1: format', async () => {
    expect(JSON.parse(await written({ format: 'json' }))).toMatchObject({ msg: 'told', n: 1 });
    expect(await written({ format: 'text' })).toMatch(/ INFO {2}told n=1\n$/);
  });

  test('OC1: output and file_path', async () => {
    expect(await written({})).toContain('told');
    expect(loggingFromConfig(loggingConfig.parse({ output: 'stdout' }))).not.toHaveProperty('filePath');
  });

  test('OC1: sampling_rate', async () => {
    expect(await written({ level: 'DEBUG', sampling_rate: 1 })).toContain('detail');
    expect(await written({ level: 'DEBUG', sampling_rate: 0 })).not.toContain('detail');
  });

  test('max_bytes and keep_files', async () => {
    const own = mkdtempSync(join(folder, 'rotate-'));
    const block = { output: 'file', file_path: join(own, 'a.log'), max_bytes: 150, keep_files: 3 };
    const logger = createLogger(loggingFromConfig(loggingConfig.parse(block)));
    for (let n = 0; n < 20; n++) logger.info('told', { n });
    await logger.close();
    expect(readdirSync(own)).toHaveLength(4);
  });
});
