export type * from './contract.ts';
export { createFairQueue } from './fair-queue.ts';
