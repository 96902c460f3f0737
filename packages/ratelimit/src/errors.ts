import { defineErrors } from '@sage-adk/core';

/** The errors of this package. A limit that is reached is a result; these are for who turns it into a throw or a response. */
export const errors = defineErrors('RATELIMIT', {
  EXCEEDED: {
    category: 'transient',
    outcome: 'denied',
    status: 429,
    message: 'Rate limit exceeded. Try again in {wait}.',
  },
  NEVER_ALLOWED: {
    category: 'permanent',
    outcome: 'denied',
    status: 422,
    message: 'A cost of {cost} {unit} never fits rule "{rule}", which admits at most {burst} at once. Ask for less.',
  },
  CLOSED: {
    category: 'permanent',
    status: 500,
    message: 'The rate limiter is closed. Make no decisions after close().',
  },
  NOT_SYNC: {
    category: 'permanent',
    status: 500,
    message: 'The store "{store}" does not answer at once. Call check() instead of checkSync().',
  },
  UNKNOWN_RULE: {
    category: 'permanent',
    status: 500,
    message: 'There is no rule "{rule}".',
  },
  TOO_MANY_CHANGES: {
    category: 'permanent',
    status: 500,
    message: 'Rules of {most} subjects are changed already. Use tiers, or take changes back.',
  },
  RESERVATION_OVER: {
    category: 'permanent',
    status: 500,
    message: 'The reservation {id} is settled or its time is over; nothing more can be charged to it.',
  },
  STORE_TIMEOUT: {
    category: 'transient',
    outcome: 'timeout',
    status: 503,
    message: 'The store "{store}" did not answer within {deadlineMs} ms; whether it decided is unknown.',
  },
});
