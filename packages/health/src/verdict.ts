/** What a probe answers, computed from what is known: no I/O, no waiting. */
export interface Verdict {
  /** `warn` is well enough to serve. */
  readonly status: Status;
  /** Why it is not `pass`, for operators. */
  readonly reason?: string;
  readonly checks: readonly CheckReport[];
}

export type Status = 'pass' | 'warn' | 'fail';

/** The last known result of one check. */
export interface CheckReport {
  readonly name: string;
  readonly critical: boolean;
  readonly status: Status;
  /** Wall-clock milliseconds of the result; undefined while the check has not finished once. */
  readonly checkedAtMs: number | undefined;
  readonly detail: string | undefined;
}

/** What the agent says of itself. */
export interface Lifecycle {
  readonly started: boolean;
  /** Why it takes no more requests; undefined while it does. */
  readonly draining: string | undefined;
}

export function startupVerdict({ started }: Lifecycle): Verdict {
  return started ? { status: 'pass', checks: [] } : { status: 'fail', reason: 'starting', checks: [] };
}

/** Ready where it has started, is not draining, and no critical check fails; anything less than well elsewhere is a warning. */
export function readinessVerdict({ started, draining }: Lifecycle, checks: readonly CheckReport[]): Verdict {
  if (draining !== undefined) return { status: 'fail', reason: draining, checks };
  if (!started) return { status: 'fail', reason: 'starting', checks };
  const failing = checks.find(({ critical, status }) => critical && status === 'fail');
  if (failing !== undefined)
    return {
      status: 'fail',
      reason: `${failing.name}: ${failing.checkedAtMs === undefined ? 'not checked yet' : 'failing'}`,
      checks,
    };
  const degraded = checks.find(({ status }) => status !== 'pass');
  return degraded === undefined
    ? { status: 'pass', checks }
    : { status: 'warn', reason: `${degraded.name}: degraded`, checks };
}
