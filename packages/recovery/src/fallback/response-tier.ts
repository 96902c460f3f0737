/** An answer where no target gave one. */
export interface ResponseTier<I, O> {
  readonly tier: 'cached' | 'pattern' | 'static';
  /** Undefined where it has none for this input. */
  answer(input: I, signal: AbortSignal | undefined): Promise<TierAnswer<O> | undefined>;
}

export interface TierAnswer<O> {
  readonly value: O;
  /** Whether it is less than what was asked for. */
  readonly degraded: boolean;
}

/** Answers from earlier ones. A stale one is a degraded answer, a fresh one is not. */
export function cachedResponses<I, O>(
  find: (
    input: I,
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly value: O; readonly stale: boolean } | undefined>,
): ResponseTier<I, O> {
  return {
    tier: 'cached',
    async answer(input, signal) {
      const found = await find(input, signal);
      return found && { value: found.value, degraded: found.stale };
    },
  };
}

export interface PatternRule<I, O> {
  readonly pattern: RegExp;
  /** The answer, or what makes it from what matched. */
  readonly answer: O | ((match: RegExpExecArray, input: I) => O);
}

/** Answers common queries by what they say; the first rule that matches answers. */
export function patternResponses<I, O>(
  textOf: (input: I) => string,
  rules: readonly PatternRule<I, O>[],
): ResponseTier<I, O> {
  const own = rules.map(({ pattern, answer }) => ({
    pattern: new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')),
    answer,
  }));
  return {
    tier: 'pattern',
    async answer(input) {
      const text = textOf(input);
      for (const { pattern, answer } of own) {
        const match = pattern.exec(text);
        if (match !== null) return { value: made(answer, match, input), degraded: true };
      }
      return undefined;
    },
  };
}

/** The same answer for all, or for the inputs of a critical flow. */
export function staticResponse<I, O>(
  value: O,
  { when = () => true }: { readonly when?: (input: I) => boolean } = {},
): ResponseTier<I, O> {
  return {
    tier: 'static',
    answer: async (input) => (when(input) ? { value, degraded: true } : undefined),
  };
}

function made<I, O>(answer: O | ((match: RegExpExecArray, input: I) => O), match: RegExpExecArray, input: I): O {
  return typeof answer === 'function' ? (answer as (match: RegExpExecArray, input: I) => O)(match, input) : answer;
}
