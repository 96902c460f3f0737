/** Reads and writes of one key that run at once in this process, and whose copy stands in the end. */

interface Running {
  calls: number;
  /** Writes that run now, and that ever began. */
  writing: number;
  begun: number;
  /** Copies are kept one after the other; one that waits while a later one comes is not kept. */
  turns: number;
  lastTurn: Promise<void>;
}

/** What a read saw is not kept where a write ran at the same time, for it may be from before; what a write left is kept after all that came before it. */
export class CopyOrder {
  readonly #running = new Map<string, Running>();

  read<T>(key: string, ask: () => Promise<T>, keep: (found: T) => Promise<void>): Promise<T> {
    return this.#run(key, async (running) => {
      const { writing, begun } = running;
      const found = await ask();
      if (writing === 0 && running.begun === begun) await takeTurn(running, () => keep(found));
      return found;
    });
  }

  write<T>(key: string, ask: () => Promise<T>, keep: (done: T) => Promise<void>): Promise<T> {
    return this.#run(key, async (running) => {
      running.begun++;
      running.writing++;
      try {
        const done = await ask();
        await takeTurn(running, () => keep(done));
        return done;
      } finally {
        running.writing--;
      }
    });
  }

  async #run<T>(key: string, call: (running: Running) => Promise<T>): Promise<T> {
    const started = { calls: 0, writing: 0, begun: 0, turns: 0, lastTurn: Promise.resolve() };
    const running = this.#running.get(key) ?? started;
    this.#running.set(key, running);
    running.calls++;
    try {
      return await call(running);
    } finally {
      if (--running.calls === 0) this.#running.delete(key);
    }
  }
}

async function takeTurn(running: Running, keep: () => Promise<void>): Promise<void> {
  const turn = ++running.turns;
  const { lastTurn } = running;
  const own = (async () => {
    await lastTurn;
    if (turn === running.turns) await keep();
  })();
  running.lastTurn = own.catch(() => {});
  await own;
}
