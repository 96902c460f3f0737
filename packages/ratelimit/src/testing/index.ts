/** The promises of a limiter store as data: any test runner turns them into tests of any store. */
import { decisionCases } from './decision-cases.ts';
import { reservationCases } from './reservation-cases.ts';
import type { StoreCase } from './subject.ts';
import { traceCases } from './trace-cases.ts';

export type { CreateLimiterStore, LimiterStoreSubject, StoreCase } from './subject.ts';
export { randomTrace, type Trace, type TraceStep } from './trace.ts';

/**
 * Every promise of the store contract.
 *
 * @example
 * ```ts
 * for (const { name, run } of storeCases) test(name, () => run(createSubject));
 * ```
 */
export const storeCases: readonly StoreCase[] = [...decisionCases, ...reservationCases, ...traceCases];
