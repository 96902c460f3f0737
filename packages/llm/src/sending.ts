/** What every kind of call has in common where it leaves for the provider. */
import type { AnswerReader } from './body/answer-reader.ts';
import type { Exchange } from './body/exchange.ts';
import type { FailureKind } from './body/exchange-options.ts';
import type { LlmCall } from './call.ts';
import { errors } from './errors.ts';

/**
 * Sends a call, and makes what `answered` makes of what came. A try is counted by the innermost layer that makes it. One that nobody waited for any more may
 * be billed all the same.
 */
export async function sent<C extends LlmCall, T, A>(
  call: C,
  send: (call: C) => PromiseLike<T>,
  answered: (call: C, result: T) => A | PromiseLike<A>,
): Promise<A> {
  const { report, signal, attemptSignal = signal, watch } = call;
  // What was given up before does not go out: it is no try, and nobody bills it.
  const counts = report !== undefined && !isAborted(attemptSignal);
  const lost = report?.lost;
  const attempts = report?.mark.attempts;
  let result: T;
  try {
    result = await send(call);
  } catch (error) {
    // A layer inside may have counted it.
    if (counts && (isAborted(signal) || isAborted(attemptSignal) || wasSent(error)) && report.lost === lost)
      report.lost++;
    throw watch === undefined ? error : watch.failed(error);
  } finally {
    if (counts && report.mark.attempts === attempts) report.mark.attempts++;
  }
  return answered(call, result);
}

/** Undici's own limit, five minutes by itself: the request was there whole, and the provider is at it. */
function wasSent(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } | null };
  return (code ?? cause?.code) === 'UND_ERR_HEADERS_TIMEOUT';
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/**
 * Reads a stream until its first content, so that whoever tries again can. Resolves with whether an error came in place of it; rejects where the
 * stream broke or ended there.
 *
 * @param isEnough whether it was waited for long enough: the rest is the consumer's.
 */
export async function failedBeforeContent<P>(
  call: LlmCall,
  exchange: Exchange<P>,
  reader: AnswerReader<P>,
  isEnough: () => boolean,
): Promise<boolean> {
  // An event may tell of an error and, as the reason to finish, of the same.
  const hasBegun = (): boolean => reader.contents > 0 || (reader.finished && reader.problem === undefined);
  const isOver = (): boolean => reader.problem !== undefined || reader.isMalformed();
  try {
    await exchange.readAhead(() => hasBegun() || isOver() || isEnough());
    if (hasBegun() || (exchange.ending === undefined && !isOver())) return false;
    exchange.drop();
    if (reader.problem === undefined) throw brokenOff(reader.isMalformed() ? 'malformed' : 'incomplete', call);
  } catch (error) {
    countLost(call);
    throw call.watch === undefined ? error : call.watch.failed(error);
  }
  countLost(call);
  return true;
}

/** The error of an answer that cannot be read or has no end. */
export function brokenOff(kind: Exclude<FailureKind, 'problem'>, { provider }: LlmCall): unknown {
  return kind === 'malformed' ? errors.MALFORMED({ provider }) : errors.INCOMPLETE({ provider });
}

/** Nothing came of a try, but its prompt was read. */
function countLost({ report }: LlmCall): void {
  if (report !== undefined) report.lost++;
}
