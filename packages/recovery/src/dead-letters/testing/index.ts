import { claimingCases } from './claiming.ts';
import { lookingCases } from './looking.ts';
import { puttingCases } from './putting.ts';
import type { DeadLetterCase } from './subject.ts';

export type { CreateDeadLetterStore, DeadLetterCase, DeadLetterSubject, DeadLetterSubjectOptions } from './subject.ts';

/** What every `DeadLetterStore` promises. Each case makes a new, empty store and closes it. */
export const deadLetterCases: readonly DeadLetterCase[] = [...puttingCases, ...claimingCases, ...lookingCases];
