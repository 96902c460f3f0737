/**
 * Why a signal aborts when its deadline passes: a `TimeoutError`, as of `AbortSignal.timeout`.
 *
 * A new one each time, never a shared or frozen one: fetch sets the stack of the reason it rejects with, and HTTP libraries write their request on it.
 * Made without a stack, which in a timer says nothing and costs several times as much as all the rest.
 */
export function timeoutReason(): DOMException {
  const { stackTraceLimit } = Error;
  // Not by assignment: that throws where intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  const reason = new DOMException('The deadline has passed.', 'TimeoutError');
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return reason;
}
