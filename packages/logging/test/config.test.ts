import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAuditLog, verifyAudit } from '../src/audit/index.ts';
import { auditFromConfig, loggingConfig, loggingFromConfig } from '../src/config.ts';
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

  test('OC1: flush', async () => {
    const path = join(mkdtempSync(join(folder, 'key-')), 'agent.log');
    const sizes = [];
    for (const flush of ['line', 'turn']) {
      const logger = createLogger(loggingFromConfig(loggingConfig.parse({ output: 'file', file_path: path, flush })));
      logger.info('told');
      sizes.push(readFileSync(path, 'utf8').split('\n').length - 1);
      await logger.close();
    }
    expect(sizes).toEqual([1, 1]);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  test('OC1: redact', async () => {
    expect(JSON.parse(await written({ redact: ['n'] }))).toMatchObject({ n: '[redacted]' });
  });

  test('OC1 OC5: audit, with its folder, its parts, its seal and the redacted keys', () => {
    const own = join(folder, 'audit');
    const block = loggingConfig.parse({
      redact: ['pin'],
      audit: { enabled: true, folder: own, max_bytes: 400, durable: false },
    });
    const options = auditFromConfig(block, 'a-key-of-an-operator');
    if (options === undefined) throw new Error('it is off');
    expect(options).toMatchObject({ durable: false });
    const log = openAuditLog(options);
    for (let n = 0; n < 5; n++) log.append({ event: 'data.access', details: { pin: 'pin-1234', n } });
    log.close();
    expect(readdirSync(own).length).toBeGreaterThan(3);
    expect(verifyAudit({ folder: own, key: 'a-key-of-an-operator' }).ok).toBe(true);
    expect(verifyAudit({ folder: own, key: 'another-key' }).ok).toBe(false);
    for (const file of readdirSync(own)) expect(readFileSync(join(own, file), 'utf8')).not.toContain('pin-1234');
    expect(auditFromConfig(loggingConfig.parse({}))).toBeUndefined();
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
