import type { Released } from './limiter.ts';
import type { Ask } from './stores/store.ts';

type Listener = (released: readonly Released[]) => void;

/** Who wants to hear that something of a rule came back. */
export class Releases {
  readonly #listeners = new Set<Listener>();

  listen(listener: Listener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Something came back to these rules and keys. */
  came(asks: readonly Ask[]): void {
    if (this.#listeners.size > 0) this.tell(asks.map(({ rule, key }) => ({ rule: rule.name, key })));
  }

  tell(released: readonly Released[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(released);
      } catch {
        // What a listener makes of it does not undo what was settled.
      }
    }
  }
}
