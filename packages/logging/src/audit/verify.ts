/**
 * Finds what was done to an audit log: edits, deletions, insertions, another order, a cut end, a chain that was removed.
 *
 * Not found: a folder put back as a whole to an older state, and, without a key, a chain that was made anew by somebody who knows how.
 */
import { readFileSync } from 'node:fs';
import { type ChainFiles, chainsIn } from './folder.ts';
import { firstHead, type Head, readHead } from './head.ts';
import { type AuditRecord, closed, genesis, opened, unsealed } from './record.ts';

export interface Finding {
  readonly kind:
    | 'edited'
    | 'out-of-order'
    | 'truncated'
    | 'head'
    | 'part-missing'
    | 'chain-missing'
    | 'not-closed'
    | 'unfinished';
  /** Whether it shows tampering or loss; `not-closed` and `unfinished` are what a crash leaves. */
  readonly severe: boolean;
  readonly chain: string;
  /** The record where it shows, counted from 1. */
  readonly seq?: number;
  readonly message: string;
}

export interface VerifiedChain {
  readonly chain: string;
  readonly records: readonly AuditRecord[];
  readonly closed: boolean;
}

export interface Verification {
  /** Whether no finding is severe. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly chains: readonly VerifiedChain[];
}

/**
 * Reads all chains of `folder`. A chain that is still written to is `not-closed`, which is not severe.
 *
 * What is read first is what was written last: a head before the files that it speaks of, and the chains that name others before those. So a log in use has
 * at least what is said of it.
 */
export function verifyAudit({ folder, key }: { readonly folder: string; readonly key?: string }): Verification {
  const findings: Finding[] = [];
  const heads = new Map(chainsIn(folder).map(({ chain, head }) => [chain, readHead(head, key)]));
  const chains = chainsIn(folder)
    .filter(({ chain }) => heads.has(chain))
    .toReversed()
    .map((files) => verifyChain(files, heads.get(files.chain), key, findings))
    .toReversed();
  findings.push(...missingChains(chains));
  return { ok: findings.every(({ severe }) => !severe), findings, chains };
}

function verifyChain(
  files: ChainFiles,
  head: Head | undefined,
  key: string | undefined,
  findings: Finding[],
): VerifiedChain {
  const { chain } = files;
  const find = (kind: Finding['kind'], message: string, seq?: number): void => {
    const severe = kind !== 'not-closed' && kind !== 'unfinished';
    findings.push({ kind, severe, chain, message, ...(seq !== undefined && { seq }) });
  };
  if (files.parts.some(({ number }, index) => number !== index + 1))
    find('part-missing', 'a file of the chain is missing');
  const { lines, rest } = linesOf(files);
  const { records, count } = verifyLines(lines, chain, key, find);
  // Nothing of a chain whose process ended while it made the head.
  if (head !== undefined || files.parts.length > 0) verifyHead(head, { files, key, count, records }, find);
  if (rest !== '') find('unfinished', 'the last line was not finished', lines.length + 1);
  const ended = records.at(-1)?.event === closed && rest === '';
  if (!ended) find('not-closed', 'the chain was not closed: it is in use, or its process was ended hard');
  return { chain, records, closed: ended };
}

type Find = (kind: Finding['kind'], message: string, seq?: number) => void;

function linesOf({ parts }: ChainFiles): { lines: readonly string[]; rest: string } {
  const pieces = parts
    // One character for each byte, as an edit need not leave valid UTF-8.
    .map(({ path }) => readFileSync(path, 'latin1'))
    .join('')
    .split('\n');
  const rest = pieces.pop() ?? '';
  return { lines: pieces.map(decoded), rest };
}

/** Bytes that are no UTF-8 were never written; as they are, no hash fits them. */
function decoded(line: string): string {
  const bytes = Buffer.from(line, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : line;
}

/** `count` is what the last record says its place is. */
function verifyLines(
  lines: readonly string[],
  chain: string,
  key: string | undefined,
  find: Find,
): { records: AuditRecord[]; count: number } {
  const records: AuditRecord[] = [];
  let prev: string | undefined = genesis;
  let count = 0;
  for (const line of lines) {
    count++;
    const record = unsealed(line, key);
    if (record === undefined || record.chain !== chain) {
      find('edited', 'the record is not the one that was written', count);
      prev = undefined;
      continue;
    }
    if (record.seq !== count || (prev !== undefined && record.prev !== prev))
      find('out-of-order', `record ${record.seq} stands where ${count} belongs`, count);
    // What follows is judged from here: one deletion is one finding.
    count = record.seq;
    prev = record.hash;
    records.push(record);
  }
  return { records, count };
}

interface ReadChain {
  readonly files: ChainFiles;
  readonly key: string | undefined;
  readonly count: number;
  readonly records: readonly AuditRecord[];
}

function verifyHead(head: Head | undefined, { files, key, count, records }: ReadChain, find: Find): void {
  if (head === undefined) {
    if (readHead(files.head, key) === undefined) find('head', 'the head of the chain is missing or edited');
    return;
  }
  const isBehind = (one: Head | undefined): boolean => one === undefined || one.seq < count - 1;
  const { hash: begun } = firstHead(files.chain, key);
  const fits =
    head.seq === 0 ? head.hash === begun : records.some(({ seq, hash }) => seq === head.seq && hash === head.hash);
  if (head.seq > count) find('truncated', `${head.seq - count} records at the end are missing`, count + 1);
  // Where the chain is in use, the head has followed the records that came since it was read.
  else if (isBehind(head) && isBehind(readHead(files.head, key)))
    find('head', `the head says ${head.seq} records, there are ${count}`, head.seq);
  else if (!fits) find('head', 'the head is not that of this chain', head.seq);
}

interface Followed extends Partial<Head> {
  readonly chain: string;
}

function missingChains(chains: readonly VerifiedChain[]): Finding[] {
  const present = new Map(chains.map(({ chain, records }) => [chain, records]));
  const findings = new Map<string, Finding>();
  for (const { seq, hash, chain } of chains.flatMap(({ records }) => followed(records))) {
    const records = present.get(chain);
    if (records === undefined) {
      findings.set(chain, {
        kind: 'chain-missing',
        severe: true,
        chain,
        message: 'a later chain knows it; it is gone',
      });
    } else if (seq !== undefined && seq > 0 && !records.some((record) => record.seq === seq && record.hash === hash)) {
      const message = 'a later chain knows a record that is gone or another one';
      findings.set(chain, { kind: 'truncated', severe: true, chain, seq, message });
    }
  }
  return [...findings.values()];
}

function followed(records: readonly AuditRecord[]): readonly Followed[] {
  const [first] = records as readonly (AuditRecord & { readonly follows?: readonly Followed[] })[];
  return first?.event === opened ? (first.follows ?? []) : [];
}
