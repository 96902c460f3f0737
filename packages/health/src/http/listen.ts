import { emit, isSageError, requireNumber, requireOption, requireWhole } from '@sage-adk/core';
import { errors } from '../errors.ts';
import type { Health } from '../health.ts';
import { pathsOf, type ProbeOptions } from './answers.ts';
import { answeringOf } from './handler.ts';
import { serveInThread } from './probe-thread.ts';
import { serveHere } from './served-probes.ts';
import { supervise } from './supervise.ts';

export interface ProbeListenerOptions extends ProbeOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 8081 */
  readonly port?: number;
  /** Who serves: a thread of their own, which answers also while the event loop is blocked, or the `main` thread. @default 'worker' */
  readonly thread?: 'worker' | 'main';
  /** Milliseconds that the event loop must be blocked before live and ready answer 503, from 100; for the thread `worker`. @default 5_000 */
  readonly blockedAfterMs?: number;
}

export interface ProbeListener extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves the probes on a port of their own. Rejects with `SAGE_HEALTH_LISTEN_FAILED` where it cannot be had.
 *
 * Where there can be no thread, or three have broken, the main thread serves, and the event `error.critical` says so. A listener does not keep the
 * process alive.
 */
export async function listenForProbes(
  health: Health,
  {
    host = '127.0.0.1',
    port = 8081,
    thread = 'worker',
    blockedAfterMs = 5_000,
    paths,
    details = false,
  }: ProbeListenerOptions = {},
): Promise<ProbeListener> {
  requireWhole('port', port, 0, 65_535);
  requireNumber('blockedAfterMs', blockedAfterMs, 100);
  requireOption('thread', thread, 'worker or main', (value) => value === 'worker' || value === 'main');
  const options = { host, paths: pathsOf(paths), details, blockedAfterMs };
  const here = (at: number) => serveHere(answeringOf(health, options), { host, port: at });
  const inThread = (at: number) => serveInThread(health, { ...options, port: at });
  const first = async (at: number) => {
    try {
      return await inThread(at);
    } catch (error) {
      if (!isSageError(error, errors.NO_THREAD.code)) throw error;
      emit('error.critical', { source: 'health', reason: 'no_probe_thread', message: error.message });
      return here(at);
    }
  };
  const { port: bound, close } = await supervise({ first: thread === 'worker' ? first : here, last: here }, port);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  };
}
