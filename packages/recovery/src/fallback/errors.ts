import { defineErrors } from '@sage-adk/core';

export const fallbackErrors = defineErrors('FALLBACK', {
  NO_TARGET: {
    category: 'critical',
    status: 503,
    message: 'None of the {targets} targets of {chain} could answer. Try again later.',
  },
  PARTIAL_STREAM: {
    category: 'transient',
    status: 502,
    message: 'The answer of {target} broke off after {chunks} chunks. Ask again for a whole one.',
  },
});
