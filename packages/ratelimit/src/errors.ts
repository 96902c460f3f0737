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
});
