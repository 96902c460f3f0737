export { createPush, type Push, type PushOptions } from './push.ts';
