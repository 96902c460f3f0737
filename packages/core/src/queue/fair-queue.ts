/**
 * A queue that tenants share by weight.
 *
 * Between tenants: self-clocked fair queueing. The front entry of a tenant carries the virtual finish time `start + cost / weight`; the smallest
 * leaves first, and virtual time is the finish time of what left last. Over any time in which two tenants both wait, what they were served,
 * divided by their weights, differs by at most one entry of each: `cost / weight + cost / weight`. A tenant that always waits is never more
 * than one of its own entries behind its weighted share, however many others come, and one that was away starts at the present: time not used is
 * not saved. Entries that are cancelled or expire are not charged.
 *
 * Within a tenant: by priority with linear ageing. An entry is overtaken only by entries that are `n` levels more urgent and come less than
 * `n * ageingMs` after it; entries of one priority keep their order. Priority never takes another tenant's share; work that must go before
 * everybody's is a tenant with a large weight.
 *
 * @see S. J. Golestani, "A self-clocked fair queueing scheme for broadband applications", IEEE INFOCOM 1994
 */
import { systemClock } from '../clock.ts';
import { requireNumber, requireWhole } from '../errors/options.ts';
import type { FairQueue, FairQueueOptions } from './contract.ts';
import { SelfClockedQueue } from './self-clocked-queue.ts';

/**
 * Makes an empty queue. It has no timer: expired entries leave at the next push, shift or peek, so a full queue never refuses for the sake of dead ones.
 *
 * @example
 * ```ts
 * const queue = createFairQueue<() => void>({ maxSize: 1000, maxPerTenant: 100, weightOf: (tenant) => (tenant === 'gold' ? 4 : 1) });
 * const ticket = queue.push(task, { tenant, cost: tokens });
 * if (!ticket.accepted) return refuse(ticket.reason);
 * queue.shift()?.();
 * ```
 */
export function createFairQueue<T>({
  maxSize = 1024,
  maxPerTenant = maxSize,
  weightOf = () => 1,
  ageingMs = 1_000,
  onDropped = () => {},
  clock = systemClock,
}: FairQueueOptions<T> = {}): FairQueue<T> {
  requireWhole('maxSize', maxSize, 1);
  requireWhole('maxPerTenant', maxPerTenant, 1);
  requireNumber('ageingMs', ageingMs, 1);
  return new SelfClockedQueue<T>({ maxSize, maxPerTenant, weightOf, ageingMs, onDropped, clock });
}
