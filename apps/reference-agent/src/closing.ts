/** What must be closed when the agent ends, in the reverse of the order in which it was opened. */
export interface Closing {
  /** Takes note of `opened` and returns it. */
  add<T extends { close(): Promise<void> }>(opened: T): T;
  /** Closes everything, also where something fails to close; then throws what failed first. */
  close(): Promise<void>;
}

export function createClosing(): Closing {
  const opened: { close(): Promise<void> }[] = [];
  return {
    add(next) {
      opened.push(next);
      return next;
    },
    async close() {
      const failures: unknown[] = [];
      for (const last of opened.splice(0).toReversed())
        await last.close().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}
