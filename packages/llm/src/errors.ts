import { defineErrors } from '@sage-adk/core';

/**
 * What the record of a failed call says, and what policies are told.
 *
 * A caller sees them as responses: the provider's own, or one that says the same as a provider would. Only a stream that stalls, and a call for which
 * there was no connection or no end, throw.
 */
export const errors = defineErrors('LLM', {
  RATE_LIMITED: {
    category: 'transient',
    status: 429,
    message: 'The provider "{provider}" answered 429. Try again later or with less.',
  },
  QUOTA: {
    category: 'permanent',
    status: 429,
    message: 'The quota at the provider "{provider}" is used up. Waiting will not help.',
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
  INCOMPLETE: {
    category: 'transient',
    status: 502,
    message: 'The stream of the provider "{provider}" ended before the answer did.',
  },
  MALFORMED: {
    category: 'transient',
    status: 502,
    message: 'An event in the stream of the provider "{provider}" is no JSON.',
  },
});
