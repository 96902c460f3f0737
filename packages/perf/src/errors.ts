import { defineErrors } from '@sage-adk/core';

export const errors = defineErrors('PERF', {
  QUEUE_FULL: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'The pool "{pool}" is full: {waiting} tasks wait. Try again in {retryAfter} seconds.',
  },
  TENANT_QUEUE_FULL: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'Too many tasks of one tenant wait in the pool "{pool}": {waiting}. Try again in {retryAfter} seconds.',
  },
  QUEUE_TIMEOUT: {
    category: 'cancelled',
    outcome: 'timeout',
    status: 504,
    message: 'The deadline passed while the task waited in the pool "{pool}".',
  },
  POOL_CLOSED: {
    category: 'transient',
    outcome: 'denied',
    status: 503,
    message: 'The pool "{pool}" is closed and takes no more tasks.',
  },
});
