import { defineErrors } from '@sage-adk/core';

/** What this package throws of its own. A failed call keeps its own error. */
export const errors = defineErrors('RECOVERY', {
  BREAKER_OPEN: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'The dependency {dependency} is not called now: its breaker is {state}. Try again later.',
  },
  BULKHEAD_FULL: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'The dependency {dependency} is busy: {active} calls run and {waiting} wait. Try again later.',
  },
});
