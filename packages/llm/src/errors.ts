import { defineErrors } from '@sage-adk/core';

/**
 * What the record of a failed call says, and what policies are told.
 *
 * Under `wrapFetch` a caller sees them as responses: the provider's own, or one that says the same as a provider would. Only a call that stalls, and
 * one for which there was no connection or no end, throws.
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
  STALLED: {
    category: 'transient',
    outcome: 'timeout',
    status: 504,
    message: 'No content came from the provider "{provider}" for {waitedMs} ms. Try again, or allow more time.',
  },
  TOO_SLOW: {
    category: 'transient',
    outcome: 'timeout',
    status: 504,
    message: 'The provider "{provider}" did not finish within {timeoutMs} ms.',
  },
  LIMITED: {
    category: 'transient',
    outcome: 'denied',
    status: 429,
    message: 'Rate limit exceeded. Try again in {wait}.',
  },
  NEVER_ALLOWED: {
    category: 'permanent',
    outcome: 'denied',
    status: 422,
    message: 'The call is larger than rule "{rule}" ever admits. Ask for less, or for fewer output tokens.',
  },
  PRICE_UNKNOWN: {
    category: 'permanent',
    outcome: 'denied',
    status: 422,
    message:
      'The price of the model "{model}" of "{provider}" is unknown, so no budget can hold. Add it to the price table, assume a price, or allow unknown prices.',
  },
  RESTING: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'The provider "{provider}" failed too often and is given a rest. Try again later.',
  },
});
