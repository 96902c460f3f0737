/** What goes wrong, as data. Times are from the start of a run. */
export interface Scenario {
  readonly name: string;
  /** The trouble lasts from here to there. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly endMs: number;
  /** Refuses every connection while the trouble lasts. */
  readonly down: boolean;
  /** Share of answers that fail while it lasts. */
  readonly errorRatio: number;
  /** Requests per second while it lasts; missing where the trouble doesn't slow it. */
  readonly troubleRate?: number;
  readonly warmRate: number;
  /** Requests per second after a restart; missing where a restart is not cold. */
  readonly coldRate?: number;
  /** Requests it takes to be warm. */
  readonly warmAfter: number;
  /** It crashes for five seconds where so many wait. */
  readonly crashQueue?: number;
}

const base = {
  fromMs: 10_000,
  untilMs: 30_000,
  endMs: 60_000,
  down: false,
  errorRatio: 0,
  warmRate: 500,
  warmAfter: 3_000,
};

export const scenarios: readonly Scenario[] = [
  { ...base, name: 'outage', down: true },
  { ...base, name: 'cold restart', down: true, coldRate: 50 },
  { ...base, name: 'brownout', troubleRate: 120 },
  { ...base, name: 'partial errors', errorRatio: 0.2 },
  { ...base, name: 'crash on overload', down: true, coldRate: 100, crashQueue: 80 },
];
