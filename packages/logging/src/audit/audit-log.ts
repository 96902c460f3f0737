/**
 * The audit log: append-only, hash-chained, never sampled. A record is on the disk when `append` returns, or it throws.
 *
 * Each log that is opened is a chain of its own, so processes that share a folder don't wait for each other. The first record of a chain names
 * the heads of the chains before it, so one that is removed as a whole is missed as well.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { type Clock, isSageError, requireNumber, systemClock } from '@sage-adk/core';
import { errors, tryOpen } from '../errors.ts';
import { addPlain, boundedText, type Fields } from '../serialise/plain.ts';
import { textOf } from '../serialise/readable.ts';
import { createRedaction } from '../serialise/redaction.ts';
import { createSecrets, type Secrets } from '../serialise/secrets.ts';
import { chainsIn, headPath, partPath } from './folder.ts';
import { firstHead, readHead, writeHead } from './head.ts';
import { type AuditEvent, type AuditRecord, closed, controlOf, genesis, opened, sealed } from './record.ts';

export interface AuditLogOptions {
  /** Where the chains are; made where it is missing. */
  readonly folder: string;
  /** Seals the chain (HMAC-SHA-256), so that nobody without it can make records that fit. @default none, plain SHA-256 */
  readonly key?: string;
  /** Bytes after which the chain goes on in a new file. @default 16 MiB */
  readonly maxBytes?: number;
  /** Whether each record waits for the disk, so that a power cut loses none. Without it a crash of the process still loses none. @default true */
  readonly durable?: boolean;
  /** Keys whose values are never written, besides the built-in ones. @default [] */
  readonly redact?: readonly string[];
  /** Values that appear in no record, wherever they stand; each of at least 6 characters. @default [] */
  readonly secrets?: readonly string[];
  readonly clock?: Clock;
}

export interface AuditLog extends Disposable {
  readonly chain: string;
  /**
   * Adds a record and returns it.
   *
   * @throws SAGE_LOGGING_AUDIT_NOT_WRITTEN; nothing of the record is left then.
   */
  append(event: AuditEvent): AuditRecord;
  /** Ends the chain with a record that says so; a chain without one is reported as a gap. Again does nothing. */
  close(): void;
}

/** Chains that a new one names. Each of those named others, so all are covered. */
const namedChains = 20;

/**
 * Begins a chain in `folder`.
 *
 * @throws SAGE_LOGGING_FILE_NOT_OPENED, SAGE_LOGGING_AUDIT_NOT_WRITTEN, SAGE_CORE_INVALID_OPTION
 */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const {
    folder,
    key,
    maxBytes = 16 * 2 ** 20,
    durable = true,
    redact = [],
    secrets: hidden = [],
    clock = systemClock,
  } = options;
  requireNumber('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  const secrets = createSecrets();
  for (const secret of hidden) secrets.add(secret);
  const before = tryOpen(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    return chainsIn(folder).slice(-namedChains);
  });
  const started = new Date(clock.now()).toISOString().replace(/[-:.]/g, '');
  const chain = `${started}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const log = new Chain({ folder, chain, key, maxBytes, durable, clock, isSecret: createRedaction(redact), secrets });
  const follows = before.map(({ chain: name, head }) => ({ chain: name, ...readHead(head, key) }));
  log.begin(follows);
  return log;
}

interface ChainParts extends Required<Pick<AuditLogOptions, 'folder' | 'maxBytes' | 'durable' | 'clock'>> {
  readonly chain: string;
  readonly key: string | undefined;
  readonly isSecret: (key: string) => boolean;
  readonly secrets: Secrets;
}

class Chain implements AuditLog {
  readonly #parts: ChainParts;
  readonly #head: number;
  #file: number;
  #part = 1;
  #bytes = 0;
  #seq = 0;
  #prev = genesis;
  #open = true;

  // The head comes first, and says that there is nothing: wherever a crash ends this, the chain is one that was just begun.
  constructor(parts: ChainParts) {
    const { folder, chain, key, durable } = parts;
    this.#parts = parts;
    this.#head = openNew(headPath(folder, chain), 'wx');
    try {
      writeHead(this.#head, firstHead(chain, key), key);
      if (durable) fdatasyncSync(this.#head);
      this.#file = openNew(partPath(folder, chain, 1), 'ax');
    } catch (error) {
      closeSync(this.#head);
      throw isSageError(error) ? error : this.#notWritten(error);
    }
  }

  /** Adds the first record. A chain that cannot take it ends. */
  begin(follows: unknown): void {
    try {
      this.append({ event: opened, details: { pid: process.pid }, follows });
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  get chain(): string {
    return this.#parts.chain;
  }

  append(event: AuditEvent & { readonly follows?: unknown }): AuditRecord {
    if (!this.#open) throw errors.AUDIT_NOT_WRITTEN({ chain: this.chain, reason: 'closed' });
    const { key, clock, chain } = this.#parts;
    const body = {
      seq: this.#seq + 1,
      ts: new Date(clock.now()).toISOString(),
      chain,
      ...this.#plain(event),
      prev: this.#prev,
    };
    const { line, hash } = sealed(body, key);
    this.#write(Buffer.from(`${line}\n`));
    this.#seq = body.seq;
    this.#prev = hash;
    this.#writeHead();
    return { ...body, hash };
  }

  close(): void {
    if (!this.#open) return;
    try {
      this.append({ event: closed });
    } finally {
      this.#end();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #plain({ follows, ...event }: AuditEvent & { readonly follows?: unknown }): AuditEvent & { control: string } {
    const { event: name, control = controlOf(name), actor, target, outcome, details } = event;
    const safe: Record<string, unknown> = {};
    if (details !== undefined) addPlain(safe, details, this.#parts.isSecret);
    return this.#parts.secrets.hide({
      event: bounded(name),
      control: bounded(control),
      ...(actor !== undefined && { actor: bounded(actor) }),
      ...(target !== undefined && { target: bounded(target) }),
      ...(outcome !== undefined && { outcome: bounded(outcome) }),
      ...(details !== undefined && { details: safe satisfies Fields }),
      ...(follows !== undefined && { follows }),
    });
  }

  #write(bytes: Uint8Array): void {
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#parts.maxBytes) this.#rotate();
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
      if (this.#parts.durable) fdatasyncSync(this.#file);
      this.#bytes += bytes.length;
    } catch (error) {
      this.#takeBack();
      throw this.#notWritten(error);
    }
  }

  /** A part of a line must not stay: the next record would be glued to it. */
  #takeBack(): void {
    try {
      ftruncateSync(this.#file, this.#bytes);
    } catch {
      this.#end();
    }
  }

  #rotate(): void {
    const path = partPath(this.#parts.folder, this.chain, this.#part + 1);
    const next = openNew(path, 'ax');
    const full = this.#file;
    this.#file = next;
    this.#part++;
    this.#bytes = 0;
    closeSync(full);
  }

  #writeHead(): void {
    try {
      writeHead(this.#head, { seq: this.#seq, hash: this.#prev }, this.#parts.key);
      if (this.#parts.durable) fdatasyncSync(this.#head);
    } catch (error) {
      // The record stands. A head that falls behind would look like one that was put back, so this chain ends here.
      this.#end();
      process.emitWarning(`The audit chain ${this.chain} ends: ${String(error)}`, { code: 'SAGE_LOGGING_AUDIT_ENDED' });
    }
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
    closeSync(this.#head);
  }

  #notWritten(cause: unknown): Error {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return errors.AUDIT_NOT_WRITTEN({ chain: this.chain, reason }, { cause });
  }
}

function bounded(value: unknown): string {
  return boundedText(textOf(value));
}

function openNew(path: string, flags: 'ax' | 'wx'): number {
  return tryOpen(path, () => openSync(path, flags, 0o640));
}
