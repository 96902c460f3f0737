/** What must be closed when the agent ends, in the reverse of the order in which it was opened. */
export interface Closing {
  /** Takes note of `opened` and returns it. */
  add<T extends Closable>(opened: T): T;
  /** Closes everything, also where something fails to close; then throws what failed first. */
  close(): Promise<void>;
}

export type Closable = { close(): Promise<void> | void } | Disposable;

export function createClosing(): Closing {
  const opened: Closable[] = [];
  return {
    add(next) {
      opened.push(next);
      return next;
    },
    async close() {
      const failures: unknown[] = [];
      for (const last of opened.splice(0).toReversed()) {
        try {
          if ('close' in last) await last.close();
          else last[Symbol.dispose]();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
