/** Most models that are remembered; names come from requests, and anybody may make them up. */
const mostModels = 1_000;

/** What is known of a model, found once. Forgets all at once when it is full. */
export class ModelMemo<T> {
  readonly #find: (provider: string, model: string) => T;
  readonly #known = new Map<string, Map<string, T>>();
  #size = 0;
  /** Asked for last: a call asks several times about one model. */
  #provider: string | undefined;
  #model: string | undefined;
  #found: T | undefined;

  constructor(find: (provider: string, model: string) => T) {
    this.#find = find;
  }

  get(provider: string, model: string): T {
    if (model !== this.#model || provider !== this.#provider) {
      this.#found = this.#look(provider, model);
      this.#provider = provider;
      this.#model = model;
    }
    return this.#found as T;
  }

  clear(): void {
    this.#known.clear();
    this.#size = 0;
    this.#provider = this.#model = this.#found = undefined;
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
