import { EventEmitter, type Event, type IFailureEvent, type ISuccessEvent } from 'cockatiel';

/** What cockatiel's `wrap` and its users expect of a policy besides `execute`. Nothing is measured while nobody listens. */
export class PolicyEvents {
  /** Never there; cockatiel's types ask for it. */
  declare readonly _altReturn: never;
  readonly #success: EventEmitter<ISuccessEvent> = new EventEmitter();
  readonly #failure: EventEmitter<IFailureEvent> = new EventEmitter();
  readonly onSuccess: Event<ISuccessEvent> = this.#success.addListener;
  readonly onFailure: Event<IFailureEvent> = this.#failure.addListener;

  protected get watched(): boolean {
    return this.#success.size + this.#failure.size > 0;
  }

  /** Runs `call` and tells the listeners how it ended. */
  protected async tell<T>(call: () => Promise<T>, handles: (error: unknown) => boolean): Promise<T> {
    const startedMs = performance.now();
    try {
      const value = await call();
      this.#success.emit({ duration: performance.now() - startedMs });
      return value;
    } catch (error) {
      this.#failure.emit({ duration: performance.now() - startedMs, handled: handles(error), reason: { error } });
      throw error;
    }
  }
}
