/**
 * Slots: at most `limit` reservations at once. A slot is a lease: it comes back when the reservation is settled, or when its time is over.
 */
export interface Slots {
  readonly kind: 'slots';
  readonly limit: number;
}

/** When a slot comes back is not known; so a denied caller is told to ask again after this. */
export const slotRetryUs = 1_000_000;

/** Microseconds until somebody should ask again: 0 where there is room now, Infinity where there never is. */
export function slotsWaitUs({ limit }: Slots, active: number, cost: number): number {
  if (cost > limit) return Number.POSITIVE_INFINITY;
  return cost === 0 || active + cost <= limit ? 0 : slotRetryUs;
}

export function slotsRemaining({ limit }: Slots, active: number): number {
  return Math.max(0, limit - active);
}

export function slotsResetUs(active: number): number {
  return active === 0 ? 0 : slotRetryUs;
}
