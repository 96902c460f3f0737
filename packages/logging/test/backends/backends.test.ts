import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createNativeBackend } from '../../src/backends/native.ts';
import { createPinoBackend } from '../../src/backends/pino.ts';
import { createWinstonBackend } from '../../src/backends/winston.ts';
import { createLogger } from '../../src/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-logging-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const backends = { winston: createWinstonBackend, pino: createPinoBackend, native: createNativeBackend };

test.each(Object.entries(backends))(
  'OL9: %s writes the same line, which is in the file when the call returns',
  async (name, create) => {
    const filePath = join(folder, `${name}.log`);
    const logger = createLogger({ backend: create({ filePath }) });
    logger.info('hello', { n: 1 });
    expect(readFileSync(filePath, 'utf8')).toMatch(
      /^\{"ts":"[^"]+","level":"INFO","severity_number":9,"msg":"hello","n":1\}\n$/,
    );
    await logger.flush();
    await logger.close();
  },
);

test('OL9: pino without a logger refuses a file that cannot be opened as the others do', () => {
  const filePath = join(folder, 'missing', 'agent.log');
  expect(() => createPinoBackend({ filePath })).toThrow(
    expect.objectContaining({ code: 'SAGE_LOGGING_FILE_NOT_OPENED' }),
  );
});

test("OL9: lines go to a pino logger's own output, and a multistream chooses by level", async () => {
  const all: string[] = [];
  const errors: string[] = [];
  const streams = pino.multistream([
    { level: 'debug', stream: { write: (line: string) => void all.push(line) } },
    { level: 'error', stream: { write: (line: string) => void errors.push(line) } },
  ]);
  const logger = createLogger({ backend: createPinoBackend({ logger: pino({}, streams) }), level: 'DEBUG' });
  logger.debug('detail');
  logger.error('failed');
  await logger.close();
  expect(all.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['detail', 'failed']);
  expect(errors.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['failed']);
});

describe('rotation', () => {
  test.each(['winston', 'native'] as const)(
    '%s puts a full file aside, keeps as many as asked, and loses no line',
    async (name) => {
      const own = mkdtempSync(join(folder, 'rotate-'));
      const filePath = join(own, 'agent.log');
      const logger = createLogger({ backend: backends[name]({ filePath, rotate: { maxBytes: 1_000, keep: 50 } }) });
      for (let n = 0; n < 100; n++) logger.info('a line', { n });
      await logger.close();
      const files = readdirSync(own);
      expect(files.length).toBeGreaterThan(5);
      const numbers = files.flatMap((file) => {
        const text = readFileSync(join(own, file), 'utf8');
        expect(text.length).toBeLessThanOrEqual(1_000);
        return text
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as { n: number }).n);
      });
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    },
  );

  test('the oldest file goes when there are more than are kept', async () => {
    const own = mkdtempSync(join(folder, 'rotate-'));
    const filePath = join(own, 'agent.log');
    const logger = createLogger({ filePath, rotate: { maxBytes: 200, keep: 2 } });
    for (let n = 0; n < 50; n++) logger.info('a line', { n });
    await logger.close();
    expect(readdirSync(own).toSorted()).toEqual(['agent.log', 'agent.log.1', 'agent.log.2']);
    expect(readFileSync(filePath, 'utf8')).toContain('"n":49');
  });

  test('is refused without a file, and for a number of files that is not whole', () => {
    expect(() => createLogger({ rotate: { maxBytes: 1_000 } })).toThrow('rotate');
    const filePath = join(folder, 'half.log');
    expect(() => createLogger({ filePath, rotate: { maxBytes: 1_000, keep: 2.5 } })).toThrow('rotate.keep is 2.5');
  });
});
