export { createDeadline, type Deadline, type DeadlineOptions } from './deadline.ts';
export { deadlineErrors } from './errors.ts';
export { sleep, type SleepOptions } from './sleep.ts';
export { timeoutReason } from './timeout-reason.ts';
export { createTimerWheel, type TimerWheel, type TimerWheelOptions, wheelOf } from './timer-wheel.ts';
export { type TimeoutOptions, withTimeout } from './with-timeout.ts';
