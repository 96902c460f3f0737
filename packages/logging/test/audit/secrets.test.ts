import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openAuditLog, verifyAudit } from '../../src/audit/index.ts';

test('OC5: a registered secret appears in no record of the audit log, and the chain is whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-audit-'));
  const log = openAuditLog({ folder, secrets: ['sk-live-123456'], durable: false });
  log.append({
    event: 'error.critical',
    actor: 'ada sk-live-123456',
    target: 'https://host/?key=sk-live-123456',
    details: { message: 'refused: sk-live-123456', list: ['Bearer sk-live-123456'] },
  });
  log.close();
  for (const file of readdirSync(folder))
    expect(readFileSync(join(folder, file), 'utf8')).not.toContain('sk-live-123456');
  expect(verifyAudit({ folder }).ok).toBe(true);
  rmSync(folder, { recursive: true });
});
