/** Calls that wait for a slice, the oldest first. Each is answered once, however many slices come before its own. */
export class WaitingCalls<Taken> {
  #calls: Waiting<Taken>[] = [];

  get size(): number {
    return this.#calls.length;
  }

  get oldest(): Pick<Waiting<Taken>, 'cost' | 'askedAtMs'> | undefined {
    return this.#calls[0];
  }

  /** What all of them want. */
  get wanted(): number {
    return this.#calls.reduce((sum, { cost }) => sum + cost, 0);
  }

  /** Resolves with what the call got, or with `denied`. */
  add(cost: number, askedAtMs: number): Promise<Taken | 'denied'> {
    return new Promise((resolve, reject) => this.#calls.push({ cost, askedAtMs, resolve, reject }));
  }

  /** Gives to each what `take` finds for it. */
  serve(take: (cost: number, askedAtMs: number) => Taken | undefined): void {
    this.#calls = this.#calls.filter(({ cost, askedAtMs, resolve }) => {
      const taken = take(cost, askedAtMs);
      if (taken !== undefined) resolve(taken);
      return taken === undefined;
    });
  }

  /** So much cannot be had now; neither can more. */
  deny(cost: number): void {
    this.#denyWhere((call) => call.cost >= cost);
  }

  /** Those got nothing of all that there was, for whom it was asked. */
  denyUntil(askedAtMs: number): void {
    this.#denyWhere((call) => call.askedAtMs <= askedAtMs);
  }

  fail(error: unknown): void {
    for (const { reject } of this.#calls.splice(0)) reject(error);
  }

  #denyWhere(isDenied: (call: Waiting<Taken>) => boolean): void {
    this.#calls = this.#calls.filter((call) => {
      const denied = isDenied(call);
      if (denied) call.resolve('denied');
      return !denied;
    });
  }
}

interface Waiting<Taken> {
  readonly cost: number;
  readonly askedAtMs: number;
  readonly resolve: (got: Taken | 'denied') => void;
  readonly reject: (error: unknown) => void;
}
