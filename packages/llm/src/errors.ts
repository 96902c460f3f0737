import { defineErrors } from '@sage-adk/core';

/** What the record of a failed call says. None of these is thrown: the caller gets the provider's own response or the fetch's own error. */
export const errors = defineErrors('LLM', {
  RATE_LIMITED: {
    category: 'transient',
    status: 429,
    message: 'The provider "{provider}" answered 429. Try again later or with less.',
  },
  UNAVAILABLE: {
    category: 'transient',
    status: 503,
    message: 'The provider "{provider}" answered {status}. Try again later.',
  },
  REFUSED: {
    category: 'permanent',
    status: 502,
    message: 'The provider "{provider}" answered {status}. Trying the same again will not help.',
  },
  UNREACHABLE: {
    category: 'transient',
    status: 503,
    message: 'The provider "{provider}" could not be reached, or the connection broke.',
  },
});
