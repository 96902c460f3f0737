import { defineErrors } from '../errors/define-errors.ts';

export const deadlineErrors = defineErrors('DEADLINE', {
  EXCEEDED: {
    category: 'transient',
    outcome: 'timeout',
    status: 504,
    message: 'The operation {operation} did not finish within {timeoutMs} ms.',
  },
  WHEEL_CLOSED: { category: 'permanent', status: 500, message: 'The timer wheel is closed and takes no more timers.' },
});
