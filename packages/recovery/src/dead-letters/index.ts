export { type AutomaticRedrive, type AutomaticRedriveOptions, startRedrive } from './automatic-redrive.ts';
export { deadLetterErrors } from './errors.ts';
export type { DeadLetter, DeadLetterError, DeadLetterFilter, DeadLetterState, NewDeadLetter } from './letter.ts';
export { createMemoryDeadLetters, type MemoryDeadLetterOptions } from './memory.ts';
export { redrive, type RedriveCall, type RedriveHandler, type RedriveOptions, type RedriveResult } from './redrive.ts';
export {
  type DeadLetterGroup,
  type DeadLetterReport,
  exportDeadLetters,
  reportDeadLetters,
  reportToMarkdown,
} from './report.ts';
export { watchDeadLetters, type WatchDeadLettersOptions } from './watch.ts';
export type {
  Claim,
  ClaimedLetter,
  ClaimOptions,
  DeadLetterOptions,
  DeadLetterStats,
  DeadLetterStore,
  ErrorClass,
  LetterDraft,
  NackOptions,
  PurgeOptions,
  PutResult,
} from './store.ts';
