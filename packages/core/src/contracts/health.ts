/** Something an agent needs, and whether it is there. */
export interface HealthCheck {
  readonly name: string;
  /** Whether the agent is not ready while this fails. @default true */
  readonly critical?: boolean;
  /** Resolves where all is well, or says `warn`; throws or says `fail` where not. Must heed the signal: it aborts at the timeout. */
  check(signal: AbortSignal): Promise<HealthResult | void>;
}

export interface HealthResult {
  readonly status: 'pass' | 'warn' | 'fail';
  /** For operators; never secrets. */
  readonly detail?: string;
}
