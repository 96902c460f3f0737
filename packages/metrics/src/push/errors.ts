import { defineErrors } from '@sage-adk/core';

export const errors = defineErrors('METRICS_PUSH', {
  REFUSED: {
    category: 'permanent',
    status: 502,
    message:
      'The gateway at {url} answered a push of metrics with {status}. Check the address and what it says: {answer}',
  },
  UNAVAILABLE: {
    category: 'transient',
    status: 503,
    message: 'The gateway at {url} did not take a push of metrics: {reason}. What was counted is in the next one.',
  },
});
