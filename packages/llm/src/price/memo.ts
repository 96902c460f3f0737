/** Most models that are remembered; names come from requests, and anybody may make them up. */
const mostModels = 1_000;

/** What is known of a model, found once. Forgets all at once when it is full. */
export class ModelMemo<T> {
  readonly #find: (provider: string, model: string) => T;
  readonly #known = new Map<string, Map<string, T>>();
  #size = 0;
  // Asked for last, and before that: a call asks several times, by the name that it asked for and by the one that answered.
  #last: Known<T> | undefined;
  #before: Known<T> | undefined;

  constructor(find: (provider: string, model: string) => T) {
    this.#find = find;
  }

  get(provider: string, model: string): T {
    const last = this.#last;
    if (last !== undefined && last.model === model && last.provider === provider) return last.found;
    const before = this.#before;
    this.#before = last;
    if (before !== undefined && before.model === model && before.provider === provider) {
      this.#last = before;
      return before.found;
    }
    const found = this.#look(provider, model);
    this.#last = { provider, model, found };
    return found;
  }

  clear(): void {
    this.#known.clear();
    this.#size = 0;
    this.#last = this.#before = undefined;
  }

  #look(provider: string, model: string): T {
    const known = this.#known.get(provider)?.get(model);
    // Asked again where it was undefined, for then nothing tells it from what was never asked.
    if (known !== undefined || this.#known.get(provider)?.has(model) === true) return known as T;
    const found = this.#find(provider, model);
    if (this.#size >= mostModels) this.clear();
    const models = this.#known.get(provider) ?? new Map<string, T>();
    models.set(model, found);
    this.#known.set(provider, models);
    this.#size++;
    return found;
  }
}

interface Known<T> {
  readonly provider: string;
  readonly model: string;
  readonly found: T;
}
