import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isSageError, sources } from '@sage-adk/core';
import Transport from 'winston-transport';
import { createLogger, createWinstonBackend } from '../../src/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the winston backend', () => {
  test('OL8: lines are added to a file, and each is there when the call returns', async () => {
    const filePath = join(folder, 'agent.log');
    writeFileSync(filePath, 'older\n');
    const logger = createLogger({ filePath });
    logger.info('one');
    expect(readFileSync(filePath, 'utf8')).toMatch(/^older\n\{.*"msg":"one"\}\n$/);
    for (let n = 0; n < 1_000; n++) logger.info('more', { n });
    await logger.close();
    expect(readFileSync(filePath, 'utf8').trimEnd().split('\n')).toHaveLength(1_002);
  });

  test('a new file is not for everybody to read', async () => {
    const filePath = join(folder, 'private.log');
    await createLogger({ filePath }).close();
    expect(statSync(filePath).mode & 0o007).toBe(0);
  });

  test('a file that cannot be opened is an error at once that says why and what to do', () => {
    try {
      createLogger({ filePath: join(folder, 'missing', 'agent.log') });
      throw new Error('not refused');
    } catch (error) {
      expect(isSageError(error, 'SAGE_LOGGING_FILE_NOT_OPENED')).toBe(true);
      expect(String(error)).toMatch(/missing.agent\.log cannot be opened \(ENOENT\)\. Create its folder/);
    }
  });

  test('SH3: winston writes the default log, and OL9: transports of your own get the finished line', async () => {
    const seen: unknown[] = [];
    const transport = new Transport({
      log(info: { level: string; [line: symbol]: string }, next: () => void) {
        seen.push([info.level, JSON.parse(info[Symbol.for('message')] ?? '')]);
        next();
      },
    });
    const logger = createLogger({ backend: createWinstonBackend({ transports: [transport] }) });
    logger.warn('heard', { n: 1 });
    logger.fatal('end');
    await logger.close();
    expect(seen).toMatchObject([
      ['warn', { msg: 'heard', n: 1 }],
      ['fatal', { msg: 'end', level: 'FATAL' }],
    ]);
  });

  test('an error of a transport is counted, and the process goes on', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const transport = new Transport({ log: () => {} });
    const logger = createLogger({ backend: createWinstonBackend({ transports: [transport] }) });
    transport.emit('error', new Error('far away'));
    logger.info('x');
    expect(String(warn.mock.calls[0]?.[0])).toContain('far away');
    warn.mockRestore();
  });

  test('a transport of your own that throws loses that line only, and close() ends', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const seen: string[] = [];
    const transport = new Transport({
      log(info: { readonly [line: symbol]: string }, next: () => void) {
        const { msg } = JSON.parse(info[Symbol.for('message')] ?? '') as { msg: string };
        if (msg === 'bad') throw new Error('refused by the transport');
        seen.push(msg);
        next();
      },
    });
    const logger = createLogger({ backend: createWinstonBackend({ transports: [transport] }) });
    for (const message of ['one', 'bad', 'two', 'three']) logger.info(message);
    const counters = sources().findLast(({ name }) => name === 'logging');
    expect(counters?.read()).toMatchObject({ written: 3, failed: 1 });
    await logger.close();
    expect(seen).toEqual(['one', 'two', 'three']);
    expect(String(warn.mock.calls[0]?.[0])).toContain('refused by the transport');
    warn.mockRestore();
  });

  test('close() waits no longer than it may for a transport that never calls back, and says so', async () => {
    const seen: unknown[] = [];
    const transport = new Transport({ log: (info) => void seen.push(info) });
    const logger = createLogger({ backend: createWinstonBackend({ transports: [transport], closeWithinMs: 10 }) });
    logger.info('one');
    logger.info('two');
    await expect(logger.close()).rejects.toMatchObject({ code: 'SAGE_LOGGING_OUTPUT_STALLED' });
    expect(seen).toHaveLength(1);
    expect(() => createWinstonBackend({ closeWithinMs: Number.NaN })).toThrow('closeWithinMs');
  });
});
