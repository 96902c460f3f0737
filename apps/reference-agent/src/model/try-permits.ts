/** Each try asks the breaker: what opens during the tries ends them, and no permit is held while one waits for the next. */
import { type BreakerPermit, type BreakerPolicy, verdictOf } from '@sage-adk/core';
import { errors as llmErrors } from '@sage-adk/llm';

export interface TryPermitsOptions {
  /** Missing where nothing keeps calls from the provider. */
  readonly breaker: BreakerPolicy | undefined;
  readonly provider: string;
  readonly dependency: string;
  readonly signal: AbortSignal;
}

/** The permits of one call, one after the other. Each is told once how its try ended. */
export class TryPermits {
  readonly #options: TryPermitsOptions;
  #permit: BreakerPermit | undefined;
  #failure: unknown;
  #refusal: unknown;

  constructor(options: TryPermitsOptions) {
    this.#options = options;
  }

  /** Before a try. Throws `SAGE_LLM_RESTING` while the provider is given a rest. */
  take(): void {
    const { breaker, dependency, provider } = this.#options;
    this.#permit = breaker?.tryAcquire(dependency);
    if (breaker === undefined || this.#permit !== undefined) return;
    this.#refusal = llmErrors.RESTING({ provider });
    throw this.#refusal;
  }

  /** What a call of which a try threw `error` failed with: where another try was refused, that is what the one before threw. */
  reasonOf(error: unknown): unknown {
    return error === this.#refusal ? (this.#failure ?? error) : error;
  }

  /** The answer came to its end. */
  succeed(): void {
    this.#permit?.succeed();
  }

  /** An abort and a denial say nothing of the provider; what is not its fault otherwise, the breaker knows. */
  fail(error: unknown): void {
    const { signal } = this.#options;
    this.#failure = error;
    const { outcome } = verdictOf(error, signal);
    if (signal.aborted || outcome === 'denied' || outcome === 'cancelled') this.#permit?.release();
    else this.#permit?.fail(error);
  }

  /** Where nothing was told, as of an answer that nobody reads to its end. */
  release(): void {
    this.#permit?.release();
  }
}
