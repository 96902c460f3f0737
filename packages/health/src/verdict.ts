/** What a probe answers, computed from what is known: no I/O, no waiting. */
export interface Verdict {
  /** `warn` is well enough to serve. */
  readonly status: Status;
  /** Why it is not `pass`, for operators. */
  readonly reason?: string;
  readonly checks: readonly CheckReport[];
}

export type Status = 'pass' | 'warn' | 'fail';

/** What is known of one check. */
export interface CheckReport {
  readonly name: string;
  readonly critical: boolean;
  readonly status: Status;
  /** Why the status is not `pass`, in a few words that hold nothing of the check's own. */
  readonly reason: string | undefined;
  /** Wall-clock milliseconds of the last result; undefined while the check has not finished once. */
  readonly checkedAtMs: number | undefined;
  /** What the check said or threw, without what looks like a secret. */
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
  if (failing !== undefined) return { status: 'fail', reason: reasonOf(failing), checks };
  const degraded = checks.find(({ status }) => status !== 'pass');
  return degraded === undefined ? { status: 'pass', checks } : { status: 'warn', reason: reasonOf(degraded), checks };
}

function reasonOf({ name, reason = 'degraded' }: CheckReport): string {
  return `${name}: ${reason}`;
}
