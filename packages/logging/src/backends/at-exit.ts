/**
 * Calls what must not be forgotten when the process ends: at `exit`, which comes after uncaught errors too, and at the signals that end it.
 *
 * A signal still does what it did: handlers of the program run, and where there is none the process dies of it, only after the call.
 */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

type Call = (isLast: boolean) => void;

const calls = new Set<Call>();

// Two copies of this package in one process must not wait for each other.
const mark = Symbol.for('@sage-adk/logging at exit');
Object.defineProperty(endBy, mark, { value: true });

/** @param call must not throw; `isLast` at `exit`, after which the event loop turns no more. Disposing takes it back. */
export function flushAtExit(call: Call): Disposable {
  if (calls.size === 0) listen();
  calls.add(call);
  return {
    [Symbol.dispose]() {
      calls.delete(call);
      if (calls.size === 0) stopListening();
    },
  };
}

function listen(): void {
  process.on('exit', callLast);
  // Before all others: a listener for once is gone when it is called, and would be taken for none.
  for (const signal of signals) process.prependListener(signal, endBy);
}

function stopListening(): void {
  process.off('exit', callLast);
  for (const signal of signals) process.off(signal, endBy);
}

function callAll(isLast: boolean): void {
  for (const call of calls) call(isLast);
}

function callLast(): void {
  callAll(true);
}

function endBy(signal: NodeJS.Signals): void {
  callAll(false);
  if (process.listeners(signal).some((listener) => !(mark in listener))) return;
  stopListening();
  process.kill(process.pid, signal);
}
