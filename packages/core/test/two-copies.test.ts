import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

// Two packages brought two versions of core: `older` as it is, `newer` with an operation that the older one has never heard of.
const folder = mkdtempSync(join(tmpdir(), 'sage-two-copies-'));
const here = new URL('..', import.meta.url).pathname;

beforeAll(() => {
  const older = join(folder, 'older');
  const newer = join(folder, 'newer');
  const packed = pack(here, folder);
  unpack(packed, older);
  unpack(packed, join(folder, 'next'));
  const next = join(folder, 'next', 'package');
  edit(join(next, 'package.json'), '"version": "0.', '"version": "9.');
  edit(
    join(next, 'dist/catalogue/catalogue.js'),
    'operations: {',
    "operations: { 'new.thing': { description: 'New', trace: 'span', spanKind: 'internal', level: 'INFO', category: 'message', labels: [] },",
  );
  unpack(pack(next, folder), newer);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('operations, events, context, errors and the drain of two versions of core are one', () => {
  writeFileSync(
    join(folder, 'main.mjs'),
    `
    import * as older from './older/package/dist/index.js';
    import * as newer from './newer/package/dist/index.js';
    import { catalogue as olderCatalogue } from './older/package/dist/catalogue/index.js';
    import { catalogue as newerCatalogue } from './newer/package/dist/catalogue/index.js';
    const seen = [];
    const watch = (name) => ({ name, operation: () => ({ end: (r) => seen.push(name + ' ' + r.name + ' ' + r.outcome + ' ' + r.context?.requestId) }), event: (e) => () => seen.push(name + ' ' + e) });
    const left = older.observe(watch('older'));
    newer.observe(watch('newer'));
    const report = {
      sameModule: older.operate === newer.operate,
      known: ['new.thing' in olderCatalogue.operations, 'new.thing' in newerCatalogue.operations],
      context: older.run({ requestId: 'r' }, () => newer.current().requestId),
    };
    older.run({ requestId: 'r1' }, () => newer.operate('new.thing', {}, () => 1));
    newer.run({ requestId: 'r2' }, () => older.operate('storage.get', {}, () => 1));
    newer.emit('agent.state', {});
    const errors = newer.defineErrors('TWO', { COPIES: { category: 'permanent', status: 400, message: 'x' } });
    report.recognised = older.isSageError(errors.COPIES());
    report.code = older.verdictOf(errors.COPIES()).code;
    newer.begin('new.thing', {});
    report.drained = older.endOpen();
    left[Symbol.dispose]();
    newer.operate('new.thing', {}, () => 1);
    console.log(JSON.stringify({ ...report, seen }));`,
  );
  expect(JSON.parse(execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' }))).toEqual({
    sameModule: false,
    known: [false, true],
    context: 'r',
    recognised: true,
    code: 'SAGE_TWO_COPIES',
    drained: 1,
    seen: [
      'newer new.thing ok r1',
      'older new.thing ok r1',
      'newer storage.get ok r2',
      'older storage.get ok r2',
      'older agent.state',
      'newer agent.state',
      'newer new.thing cancelled undefined',
      'older new.thing cancelled undefined',
      'newer new.thing ok undefined',
    ],
  });
});

function pack(from: string, to: string): string {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', to], {
    cwd: from,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  return join(to, filename);
}

function unpack(tarball: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', to]);
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}
