import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, jest, test } from '@jest/globals';
import { emit, isSageError, run, systemClock } from '@sage-adk/core';
import { auditReport, observeAudit, openAuditLog, verifyAudit } from '../../src/audit/index.ts';
import { runAudit } from '../../src/audit/cli.ts';
import { filesOf, inFolder } from './support.ts';

const script = fileURLToPath(new URL('./append-and-die.ts', import.meta.url));

function start(folder: string, way: string): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', script, folder, way];
  return spawn(process.execPath, args, { stdio: 'ignore' });
}

describe('the audit log', () => {
  test('OC5: a record is in the file when the call returns, and names its place in the chain', () => {
    inFolder((folder) => {
      using log = openAuditLog({ folder });
      const { seq, prev, hash } = log.append({ event: 'auth.failure', actor: 'key-1', outcome: 'denied' });
      const lines = readFileSync(filesOf(folder)[0] ?? '', 'utf8')
        .trimEnd()
        .split('\n');
      expect(seq).toBe(2);
      expect(JSON.parse(lines[1] ?? '')).toMatchObject({ event: 'auth.failure', control: 'CC6.1/A.8.5', prev, hash });
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'audit.opened', hash: prev });
    });
  });

  test('rotation goes on with the chain in a new file', () => {
    inFolder((folder) => {
      const log = openAuditLog({ folder, maxBytes: 1_000, durable: false });
      for (let n = 0; n < 20; n++) log.append({ event: 'data.access', details: { n } });
      log.close();
      expect(filesOf(folder).length).toBeGreaterThan(5);
      const { ok, findings, chains } = verifyAudit({ folder });
      expect({ ok, findings, records: chains[0]?.records.length }).toEqual({ ok: true, findings: [], records: 22 });
    });
  });

  test('secrets in details are not written', () => {
    inFolder((folder) => {
      using log = openAuditLog({ folder, redact: ['ssn'] });
      log.append({ event: 'key.rotation', details: { apiKey: 'S3CRET', nested: { ssn: 'S3CRET' } } });
      expect(readFileSync(filesOf(folder)[0] ?? '', 'utf8')).not.toContain('S3CRET');
    });
  });

  test('a closed log refuses a record instead of losing it', () => {
    inFolder((folder) => {
      const log = openAuditLog({ folder });
      log.close();
      log.close();
      try {
        log.append({ event: 'late' });
        throw new Error('not refused');
      } catch (error) {
        expect(isSageError(error, 'SAGE_LOGGING_AUDIT_NOT_WRITTEN')).toBe(true);
      }
    });
  });

  test('with a key, a chain made without it does not pass', () => {
    inFolder((folder) => {
      openAuditLog({ folder }).close();
      expect(verifyAudit({ folder }).ok).toBe(true);
      expect(verifyAudit({ folder, key: 'k' }).ok).toBe(false);
    });
  });

  test('security events of the running agent are recorded with who was verified', () => {
    inFolder((folder) => {
      using log = openAuditLog({ folder });
      using _watching = observeAudit(log);
      run({ requestId: 'r-1', principal: { kind: 'api_key', id: 'key-7' } }, () =>
        emit('security.violation', { kind: 'signature', reason: 'mismatch' }),
      );
      const record = verifyAudit({ folder }).chains[0]?.records[1];
      expect(record).toMatchObject({ event: 'security.violation', actor: 'key-7', details: { request_id: 'r-1' } });
    });
  });

  test('an event of which a member cannot be read is recorded, and a request that cannot be is told', () => {
    inFolder((folder) => {
      using log = openAuditLog({ folder });
      using _watching = observeAudit(log);
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const refuse = (): never => {
        throw new Error('not readable');
      };
      const event = { kind: 'signature' as const, reason: 'mismatch' };
      emit('security.violation', Object.defineProperty(event, 'reason', { get: refuse, enumerable: true }));
      const principal = Object.defineProperty({ kind: 'api_key' as const, id: '' }, 'id', { get: refuse });
      run({ principal }, () => emit('security.violation', { kind: 'signature', reason: 'mismatch' }));
      const { records } = verifyAudit({ folder }).chains[0] ?? {};
      expect(records?.slice(1)).toMatchObject([{ details: { kind: 'signature', reason: '[unreadable]' } }]);
      expect(warn.mock.calls).toEqual([['Error: not readable', { code: 'SAGE_LOGGING_AUDIT_NOT_WRITTEN' }]]);
      warn.mockRestore();
    });
  });
});

test('OC5: several processes share a folder, each with its own chain, and SIGKILL leaves every record whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-audit-'));
  await Promise.all(['close', 'SIGKILL', 'SIGKILL'].map((way) => once(start(folder, way), 'close')));
  const { ok, findings, chains } = verifyAudit({ folder });
  expect(ok).toBe(true);
  expect(findings.map(({ kind }) => kind)).toEqual(['not-closed', 'not-closed']);
  expect(chains.map(({ records }) => records.length).toSorted((a, b) => a - b)).toEqual([51, 51, 52]);
  // What a crash in the middle of a write leaves is told, and is no tampering.
  const cut = chains.find((chain) => !chain.closed);
  appendFileSync(join(folder, `${cut?.chain}.000001.jsonl`), '{"seq":52,"ts"');
  expect(verifyAudit({ folder })).toMatchObject({ ok: true });
  expect(verifyAudit({ folder }).findings.map(({ kind }) => kind)).toContain('unfinished');
  rmSync(folder, { recursive: true });
});

test.each([
  ['openSync', 1],
  ['writeSync', 1],
  ['fdatasyncSync', 1],
  ['openSync', 2],
  ['writeSync', 2],
  ['fdatasyncSync', 2],
  ['writeSync', 3],
  ['fdatasyncSync', 3],
])('OC5: a process that is killed before its %s number %d leaves a log that is whole', async (call, count) => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-audit-'));
  openAuditLog({ folder }).close();
  await once(start(folder, `SIGKILL before ${call} ${count}`), 'close');
  const after = openAuditLog({ folder });
  after.append({ event: 'auth.failure' });
  after.close();
  const { ok, findings } = verifyAudit({ folder });
  expect({ ok, severe: findings.filter(({ severe }) => severe) }).toEqual({ ok: true, severe: [] });
  rmSync(folder, { recursive: true });
});

test('OC5: a log that is in use is whole, however fast it grows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-audit-'));
  const writing = start(folder, 'goes on');
  const severe: unknown[] = [];
  while (filesOf(folder).length < 2 && writing.exitCode === null) await setTimeout(10);
  for (let n = 0; n < 60; n++) {
    severe.push(...verifyAudit({ folder }).findings.filter((finding) => finding.severe));
    await setTimeout(5);
  }
  writing.kill('SIGKILL');
  await once(writing, 'close');
  expect(severe).toEqual([]);
  rmSync(folder, { recursive: true });
});

describe('without what the system gives', () => {
  test('a folder that cannot be made or read is told as a file that cannot be opened', () => {
    inFolder((folder) => {
      const file = join(folder, 'file');
      writeFileSync(file, '');
      for (const path of [file, join(file, 'audit')])
        expect(() => openAuditLog({ folder: path })).toThrow(
          expect.objectContaining({ code: 'SAGE_LOGGING_FILE_NOT_OPENED' }),
        );
    });
  });

  test('a part that cannot be opened refuses the record, and the log goes on when it can be', () => {
    inFolder((folder) => {
      const log = openAuditLog({ folder, maxBytes: 400, durable: false });
      const inTheWay = join(folder, `${log.chain}.000002.jsonl`);
      writeFileSync(inTheWay, '');
      const record = { event: 'data.access', details: { text: 'x'.repeat(400) } };
      expect(() => log.append(record)).toThrow(expect.objectContaining({ code: 'SAGE_LOGGING_AUDIT_NOT_WRITTEN' }));
      rmSync(inTheWay);
      log.append(record);
      log.close();
      expect(verifyAudit({ folder }).findings).toEqual([]);
    });
  });

  test('what is no text in a record of JavaScript is written as text', () => {
    inFolder((folder) => {
      using log = openAuditLog({ folder, durable: false });
      expect(
        log.append({ event: 'auth.failure', actor: 7 as never, target: Object.create(null) as never }),
      ).toMatchObject({ actor: '7', target: '[unreadable]' });
    });
  });
});

describe('the report', () => {
  const filled = (folder: string) => {
    let now = Date.parse('2026-11-01T00:00:00Z');
    const clock = { ...systemClock, now: () => now };
    const log = openAuditLog({ folder, clock });
    log.append({ event: 'auth.failure', outcome: 'denied' });
    log.append({ event: 'auth.failure', outcome: 'denied' });
    now = Date.parse('2026-11-02T00:00:00Z');
    log.close();
    now = Date.parse('2026-11-03T00:00:00Z');
    openAuditLog({ folder, clock }).append({ event: 'config.changed' });
  };
  const period = { from: new Date('2026-11-01'), to: new Date('2026-11-05') };

  test('OC5: has events by control, the verification, and the times when nothing could be recorded', () => {
    inFolder((folder) => {
      filled(folder);
      const report = auditReport({ folder, ...period });
      expect(report).toMatchObject({ verified: true, records: 6 });
      expect(report.controls).toContainEqual({
        control: 'CC6.1/A.8.5',
        events: { 'auth.failure': 2 },
        outcomes: { denied: 2 },
      });
      expect(report.gaps).toEqual([
        { from: '2026-11-02T00:00:00.000Z', to: '2026-11-03T00:00:00.000Z', after: 'close' },
        { from: '2026-11-03T00:00:00.000Z', to: '2026-11-05T00:00:00.000Z', after: 'crash' },
      ]);
    });
  });

  test('sage-audit prints it, and ends with 1 where the log is not whole and with 2 where the call is wrong', () => {
    inFolder((folder) => {
      filled(folder);
      const printed: string[] = [];
      const audit = (...args: string[]) => runAudit(args, (text) => printed.push(text));
      expect(audit('verify', folder)).toBe(0);
      expect(audit('report', folder, '--from', '2026-11-01', '--to', '2026-11-05')).toBe(0);
      expect(printed[1]).toContain('CC6.1/A.8.5: auth.failure 2 (denied 2)');
      expect(printed[1]).toContain('nothing recorded from 2026-11-02');
      rmSync(filesOf(folder)[0] ?? '');
      expect(audit('verify', folder, '--json')).toBe(1);
      expect(JSON.parse(printed[2] ?? '')).toMatchObject({ ok: false });
      expect([audit('verify'), audit('report', folder), audit('grow', folder)]).toEqual([2, 2, 2]);
    });
  });
});
