/**
 * Why a signal aborted when its deadline passed: a `TimeoutError` like that of `AbortSignal.timeout`.
 *
 * One object for all deadlines, since making one costs more than the rest of a call; frozen, since what one request wrote on it another could read.
 */
export const timeoutReason: DOMException = Object.freeze(new DOMException('The deadline has passed.', 'TimeoutError'));
