/**
 * One record of the audit log: a line of JSON that names its place in the chain and ends with a hash of all its bytes before.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Fields } from '../serialise/plain.ts';

/** What happened, to be kept. */
export interface AuditEvent {
  /** What happened, such as `auth.failure` or `config.changed`. */
  readonly event: string;
  /** The control it is evidence for. @default that of {@link controlOf} */
  readonly control?: string;
  /** Who did it: a principal, an agent, an operator. */
  readonly actor?: string;
  /** What it was done to. */
  readonly target?: string;
  /** How it ended, such as `denied`. */
  readonly outcome?: string;
  /** More about it; secrets are redacted. */
  readonly details?: Fields;
}

/** An event with its place in a chain. */
export interface AuditRecord extends AuditEvent {
  /** From 1, without a gap. */
  readonly seq: number;
  /** RFC 3339 in UTC, with milliseconds. */
  readonly ts: string;
  readonly chain: string;
  readonly control: string;
  readonly prev: string;
  readonly hash: string;
}

/** What the first record of a chain follows. */
export const genesis = '0'.repeat(64);

export const opened = 'audit.opened';
export const closed = 'audit.closed';

/** SOC 2 criteria with the ISO 27001 (2022) annex A control behind them. Other events are evidence of logging itself. */
const controls: Readonly<Record<string, string>> = {
  'auth.success': 'CC6.1/A.8.5',
  'auth.failure': 'CC6.1/A.8.5',
  'policy.denied': 'CC6.1/A.8.3',
  'data.access': 'CC6.1/A.8.3',
  'llm.content_access': 'CC6.1/A.8.3',
  'key.rotation': 'CC6.1/A.8.24',
  'signature.mismatch': 'CC7.2/A.8.16',
  'security.violation': 'CC7.2/A.8.16',
  'error.critical': 'CC7.4/A.5.26',
  'config.changed': 'CC8.1/A.8.32',
};

export function controlOf(event: string): string {
  return Object.hasOwn(controls, event) ? (controls[event] ?? '') : 'CC7.2/A.8.15';
}

/** Without a key the hash shows accidents and careless edits; with one nobody who lacks it can make a chain that fits. */
export function hashOf(text: string, key: string | undefined): string {
  return (key === undefined ? createHash('sha256') : createHmac('sha256', key)).update(text).digest('hex');
}

/** The line of a record whose other members are `body`, and its hash. */
export function sealed(body: Omit<AuditRecord, 'hash'>, key: string | undefined): { line: string; hash: string } {
  const open = JSON.stringify(body).slice(0, -1);
  const hash = hashOf(open, key);
  return { line: `${open},"hash":"${hash}"}`, hash };
}

/** The record of a line, or undefined where its bytes are not those that were sealed. */
export function unsealed(line: string, key: string | undefined): AuditRecord | undefined {
  const [, open, hash] = /^(.*),"hash":"([0-9a-f]{64})"\}$/s.exec(line) ?? [];
  if (open === undefined || hash !== hashOf(open, key)) return undefined;
  try {
    return JSON.parse(line) as AuditRecord;
  } catch {
    return undefined;
  }
}
