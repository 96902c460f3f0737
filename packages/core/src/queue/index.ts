export {
  createFairQueue,
  type DropReason,
  type FairQueue,
  type FairQueueOptions,
  type Priority,
  type PushOptions,
  type Refusal,
  type Ticket,
} from './fair-queue.ts';
