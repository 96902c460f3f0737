import { closeSync, cpSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openAuditLog, verifyAudit } from '../../src/audit/index.ts';
import { firstHead, writeHead } from '../../src/audit/head.ts';
import { filesOf, inFolder } from './support.ts';

const runs = Number(process.env['SAGE_AUDIT_RUNS'] ?? 40);

type Tampering = (folder: string, random: (below: number) => number) => void;

const pick = (paths: readonly string[], random: (below: number) => number): string => paths[random(paths.length)] ?? '';

function withLines(change: (lines: string[], random: (below: number) => number) => void): Tampering {
  return (folder, random) => {
    const path = pick(filesOf(folder), random);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    change(lines, random);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  };
}

const tamperings: Readonly<Record<string, Tampering>> = {
  'a byte changed': (folder, random) => {
    const path = pick(filesOf(folder), random);
    const bytes = readFileSync(path);
    const at = random(bytes.length);
    bytes[at] = ((bytes[at] ?? 0) + 1 + random(255)) % 256;
    writeFileSync(path, bytes);
  },
  'a record deleted': withLines((lines, random) => void lines.splice(random(lines.length), 1)),
  'a record written twice': withLines((lines, random) => {
    const at = random(lines.length);
    lines.splice(at, 0, lines[at] ?? '');
  }),
  'two records exchanged': withLines((lines, random) => {
    const at = random(lines.length - 1);
    lines.splice(at, 2, lines[at + 1] ?? '', lines[at] ?? '');
  }),
  'a file cut': (folder, random) => {
    const path = pick(filesOf(folder), random);
    truncateSync(path, random(readFileSync(path).length));
  },
  'a file deleted': (folder, random) => rmSync(pick(filesOf(folder), random)),
  'a head deleted': (folder, random) => rmSync(pick(filesOf(folder, '.head'), random)),
  'a head changed': (folder, random) => {
    const path = pick(filesOf(folder, '.head'), random);
    const bytes = readFileSync(path);
    const at = random(bytes.length);
    bytes[at] = ((bytes[at] ?? 0) + 1 + random(255)) % 256;
    writeFileSync(path, bytes);
  },
  'a chain that others follow deleted': (folder) => {
    const [first = ''] = filesOf(folder);
    const chain = first.slice(0, -'.000001.jsonl'.length);
    for (const path of [...filesOf(folder), ...filesOf(folder, '.head')])
      if (path.startsWith(`${chain}.`)) rmSync(path);
  },
  'records cut together with the head': (folder, random) => {
    // The older state of a chain, put back whole: only a chain that follows can tell.
    const [first = ''] = filesOf(folder);
    const chain = first.slice(0, -'.000001.jsonl'.length);
    const files = filesOf(folder).filter((path) => path.startsWith(`${chain}.`));
    for (const path of files.slice(1 + random(files.length - 1))) rmSync(path);
    rmSync(`${chain}.head`);
  },
  'a chain cut to its first record, with the first head of another chain': (folder) => {
    // The last chain: none follows that could tell.
    const chain = (filesOf(folder, '.head').at(-1) ?? '').slice(0, -'.head'.length);
    const [first = '', ...others] = filesOf(folder).filter((path) => path.startsWith(`${chain}.`));
    for (const path of others) rmSync(path);
    writeFileSync(first, `${readFileSync(first, 'utf8').split('\n')[0]}\n`);
    const head = openSync(`${chain}.head`, 'r+');
    writeHead(head, firstHead('another', 'k'), 'k');
    closeSync(head);
  },
};

test.each(Object.entries(tamperings))('OC5: %s is found, wherever it is', (_name, tamper) => {
  inFolder((folder) => {
    const whole = join(folder, 'whole');
    for (let chain = 0; chain < 3; chain++) {
      const log = openAuditLog({ folder: whole, maxBytes: 900, durable: false, key: 'k' });
      for (let n = 0; n < 8; n++) log.append({ event: 'data.access', actor: `é ${n}`, details: { n } });
      log.close();
    }
    expect(verifyAudit({ folder: whole, key: 'k' }).findings).toEqual([]);
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const copy = join(folder, 'copy');
        cpSync(whole, copy, { recursive: true });
        tamper(copy, (below) => (numbers.next().value ?? 0) % below);
        const { ok } = verifyAudit({ folder: copy, key: 'k' });
        rmSync(copy, { recursive: true });
        expect(ok).toBe(false);
      }),
      { numRuns: runs },
    );
  });
});
