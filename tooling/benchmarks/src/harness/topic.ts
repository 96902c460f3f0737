/** A benchmark: one question, its figures, and the gates it must pass. */
export interface Topic {
  readonly name: string;
  run(): Promise<Report>;
}

export interface Report {
  /** What was measured, for people; absolute figures mean little on another machine. */
  readonly figures: Readonly<Record<string, number | string>>;
  readonly gates: readonly Gate[];
}

/** A ratio measured in one run, and the most (or least) it may be. A gate has a band of 10 %, as two runs never agree. */
export interface Gate {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly kind: 'at most' | 'at least';
}

const band = 0.1;

export function passes({ value, limit, kind }: Gate): boolean {
  return kind === 'at most' ? value <= limit * (1 + band) : value >= limit * (1 - band);
}
