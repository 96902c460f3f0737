/** Pushes metrics to a Pushgateway, or to what takes its text at its paths: for jobs that are over before somebody could scrape them, and for functions. */
import { type Clock, requireOption, requireWhole, source, systemClock } from '@sage-adk/core';
import { sleep, withTimeout } from '@sage-adk/core/deadline';
import type { Collected } from '../collected.ts';
import { Repeating } from '../repeating.ts';
import { contentTypes } from '../scrape/render.ts';
import { renderText } from '../scrape/render-text.ts';
import { errors } from './errors.ts';
import { isGatewayUrl } from './gateway-url.ts';

export interface PushOptions {
  /** `createMetrics()` fits, and `mergeWorkers()` of `./cluster`. */
  readonly metrics: Collected;
  /** Of the gateway, such as `http://127.0.0.1:9091`. Credentials belong into `headers`: errors quote the URL. */
  readonly url: string;
  /** What runs; the first part of the group. */
  readonly job: string;
  /**
   * What tells this process from others of its job, so that none overwrites another: `{ instance: 'a1' }`. A process that starts anew needs a new one, or its counters
   * seem to be reset.
   */
  readonly grouping?: Readonly<Record<string, string>>;
  /** `PUT` replaces all metrics of the group, `POST` those of the same name. @default 'PUT' */
  readonly method?: 'PUT' | 'POST';
  /** How often it pushes by itself, in milliseconds; a process that is killed loses at most what it counted since. @default 1000 */
  readonly everyMs?: number;
  /** How long one push may take, in milliseconds. @default 5000 */
  readonly deadlineMs?: number;
  /** How long `close` tries to deliver the last push, in milliseconds. @default 10_000 */
  readonly closeWithinMs?: number;
  /** Such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the global one */
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
}

/** Pushes until it is closed. */
export interface Push extends AsyncDisposable {
  /** Where the group of this process is. */
  readonly url: string;
  /** Pushes all that was counted until now. Throws `SAGE_METRICS_PUSH_UNAVAILABLE` or `_REFUSED`. */
  push(): Promise<void>;
  /** Pushes a last time, again and again within `closeWithinMs`; then throws the error of the last try. Call it when nothing counts any more, and before the metrics are closed. */
  close(): Promise<void>;
}

/**
 * Pushes every second and at the end. Totals count from the start of the process, so a push that failed is made up for by the next one.
 *
 * What it did is in `sage_source{source="metrics.push"}`: sent, failed.
 *
 * @example
 * ```ts
 * await using push = createPush({ metrics, url: 'http://127.0.0.1:9091', job: 'nightly', grouping: { instance: hostname() } });
 * ```
 */
export function createPush(options: PushOptions): Push {
  const { metrics, everyMs = 1_000, deadlineMs = 5_000, closeWithinMs = 10_000, clock = systemClock } = options;
  requireWhole('everyMs', everyMs, 1);
  requireWhole('deadlineMs', deadlineMs, 1);
  requireWhole('closeWithinMs', closeWithinMs, 0);
  const url = groupUrl(options);
  const over = new AbortController();
  const counts = { sent: 0, failed: 0 };
  const counters = source('metrics.push', () => counts);
  const once = async (): Promise<void> => {
    try {
      await send(url, await renderText(metrics), options, over.signal);
      counts.sent++;
    } catch (error) {
      counts.failed++;
      throw error;
    }
  };
  const repeating = new Repeating({ everyMs, clock, work: once });
  const close = async (): Promise<void> => {
    repeating.stop();
    const untilMs = clock.monotonicMs() + closeWithinMs;
    const giveUp = (): void => over.abort(new Error('the time of the close is over'));
    const timer = clock.setTimer(giveUp, closeWithinMs, { keepAlive: true });
    try {
      await pushLast(() => repeating.now(), untilMs, clock);
    } finally {
      timer.cancel();
      counters[Symbol.dispose]();
    }
  };
  let closing: Promise<void> | undefined;
  return {
    url,
    push: () => repeating.now(),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

async function send(url: string, body: Buffer, options: PushOptions, parent: AbortSignal): Promise<void> {
  const { method = 'PUT', headers = {}, deadlineMs = 5_000, fetch = globalThis.fetch, clock = systemClock } = options;
  const init = { method, body: new Uint8Array(body), headers: { ...headers, 'content-type': contentTypes.prometheus } };
  const exchange = async (signal: AbortSignal): Promise<{ readonly status: number; readonly text: string }> => {
    const response = await fetch(url, { ...init, signal });
    return { status: response.status, text: await response.text() };
  };
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await withTimeout(deadlineMs, ({ signal }) => exchange(signal), {
      operation: 'metrics.push',
      parent,
      clock,
    });
  } catch (cause) {
    throw errors.UNAVAILABLE({ url, reason: reasonOf(cause) }, { cause });
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return;
  if (status === 429 || status >= 500) throw errors.UNAVAILABLE({ url, reason: `it answered ${status}` });
  throw errors.REFUSED({ url, status, answer: text.trim().slice(0, 200) || 'nothing' });
}

/** Tries with waits that double from 100 ms, until it is delivered or the time is over. */
async function pushLast(push: () => Promise<void>, untilMs: number, clock: Clock): Promise<void> {
  for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, 2_000)) {
    try {
      return await push();
    } catch (error) {
      if (clock.monotonicMs() + waitMs >= untilMs) throw error;
      // Whoever closes may be in a hurry; the last push has its own time.
      await sleep(waitMs, { clock, signal: new AbortController().signal });
    }
  }
}

function reasonOf(error: unknown): string {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: { code?: string } };
  return cause?.code ?? code ?? message ?? String(error);
}

/** `/metrics/job/JOB/LABEL/VALUE`; a value that a path cannot hold is in base64: the empty one, one with a slash, and the two that name folders. */
function groupUrl({ url, job, grouping = {} }: PushOptions): string {
  const known = isGatewayUrl(url) ? url : '***';
  requireOption('url', known, 'an http or https URL without credentials, query and hash', isGatewayUrl);
  requireOption('job', job, 'a text', (text) => text !== '');
  const parts = Object.entries({ job, ...grouping }).map(([label, text]) => {
    const value = text.toWellFormed();
    requireOption('grouping', label, 'a Prometheus label name', (name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name));
    if (!/^\.{0,2}$|\//.test(value)) return `${label}/${encodeURIComponent(value)}`;
    return `${label}@base64/${Buffer.from(value).toString('base64url') || '='}`;
  });
  return `${url.replace(/\/+$/, '')}/metrics/${parts.join('/')}`;
}
