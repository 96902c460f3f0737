/** How an operation ended. `denied` is a limit or a policy that said no; `cancelled` is the caller's own wish. */
export type Outcome = 'ok' | 'error' | 'denied' | 'cancelled' | 'timeout';

/** Whether trying again can help: `transient` yes, `permanent` no, `critical` no and somebody must look. */
export type Category = 'transient' | 'permanent' | 'critical' | 'unknown';
