import { defineErrors } from '../errors/define-errors.ts';

export const testingErrors = defineErrors('TESTING', {
  CUT: { category: 'transient', status: 502, message: 'The answer of {provider} was cut before its end.' },
  TIMER_LOOP: {
    category: 'permanent',
    status: 500,
    message: 'One advance called {calls} timers; a timer that sets itself again with no delay never ends.',
  },
});
