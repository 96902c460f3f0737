/** What was decided about a request, for the handlers after the limiter. */
import type { Admission, HttpLimiter, HttpReservation } from './gate.ts';

const admissions = new WeakMap<object, { readonly limiter: HttpLimiter; readonly admission: Admission }[]>();

/**
 * What a limiter decided about a request that it let pass, and what it reserved; undefined where it was skipped.
 *
 * @param request as the framework hands it to handlers; with Hono the context.
 * @param limiter which one, where several stand in the way. @default the last
 */
export function admissionOf(request: object, limiter?: HttpLimiter): Admission | undefined {
  const known = admissions.get(request);
  return known?.findLast((entry) => limiter === undefined || entry.limiter === limiter)?.admission;
}

export function remember(request: object, limiter: HttpLimiter, admission: Admission): void {
  const known = admissions.get(request);
  if (known === undefined) admissions.set(request, [{ limiter, admission }]);
  else known.push({ limiter, admission });
}

/** The call is over. What the store says to that is the store's to report: the answer is on its way, and a lease ends by itself. */
export function settle(reservation: HttpReservation | undefined): void {
  void settled(() => reservation?.settle());
}

/** The call never started. */
export function cancel(reservation: HttpReservation | undefined): void {
  void settled(() => reservation?.cancel());
}

async function settled(end: () => PromiseLike<unknown> | undefined): Promise<void> {
  try {
    await end();
  } catch {
    // See settle.
  }
}
