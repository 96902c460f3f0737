import { requireNumber } from '@sage-adk/core';

export interface SignalOptions {
  /** @default SIGTERM and SIGINT */
  readonly signals?: readonly NodeJS.Signals[];
  /** Milliseconds in which another signal counts as the same: Ctrl-C reaches a process from the terminal and from the package manager that started it. @default 250 */
  readonly sameSignalMs?: number;
  /** Ends the process. @default process.exit */
  readonly exit?: (code: number) => void;
  /** Told of what `end` rejects with. @default writes it to standard error */
  readonly onError?: (error: unknown) => void;
}

/**
 * Ends the process by `end` at the first signal: with exit code 0, or 1 where `end` rejects or reports that it is not complete. A second signal exits
 * with 1 at once. Disposing stops listening.
 */
export function endOnSignals(
  end: (signal: NodeJS.Signals) => Promise<{ readonly complete: boolean } | void>,
  {
    signals = ['SIGTERM', 'SIGINT'],
    sameSignalMs = 250,
    exit = (code) => process.exit(code),
    onError = writeError,
  }: SignalOptions = {},
): Disposable {
  requireNumber('sameSignalMs', sameSignalMs, 0);
  let endingSinceMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (endingSinceMs !== undefined) {
      if (performance.now() - endingSinceMs > sameSignalMs) exit(1);
      return;
    }
    endingSinceMs = performance.now();
    end(signal).then(
      (report) => exit(report?.complete === false ? 1 : 0),
      (error: unknown) => {
        onError(error);
        exit(1);
      },
    );
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}

function writeError(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
