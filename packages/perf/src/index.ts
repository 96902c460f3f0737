export {
  createWorkerPool,
  type TaskOptions,
  type WorkerPool,
  type WorkerPoolOptions,
  type WorkerPoolStats,
} from './worker-pool/worker-pool.ts';
