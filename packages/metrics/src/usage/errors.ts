import { defineErrors } from '@sage-adk/core';

export const usageErrors = defineErrors('USAGE', {
  NOT_WRITTEN: {
    category: 'transient',
    status: 500,
    message: 'At the close {rows} rows of usage were not written: {reason}. Look at the store {store}.',
  },
  STORE_LATE: {
    category: 'transient',
    outcome: 'timeout',
    status: 504,
    message: 'The store {store} did not take a batch of usage within {deadlineMs} ms. It is tried again.',
  },
});
