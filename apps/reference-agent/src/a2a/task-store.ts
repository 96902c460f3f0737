import { deserialize, serialize } from 'node:v8';
import type { ListTasksRequest, ListTasksResponse, Task } from '@a2a-js/sdk';
import { TaskState } from '@a2a-js/sdk';
import type { ServerCallContext, TaskStore } from '@a2a-js/sdk/server';
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import { joinText } from './parts.ts';
import { pageOf, type StoredTask } from './task-page.ts';

export interface TaskStoreOptions {
  /** Finished tasks that are kept, and running ones; one more pushes out the oldest. @default 10_000 */
  readonly maxTasks?: number;
  /** Size of all finished tasks together, in bytes; the same. @default 64 MiB */
  readonly maxBytes?: number;
  /** Milliseconds that a finished task is kept. @default one hour */
  readonly ttlMs?: number;
  readonly clock?: Clock;
}

/**
 * Tasks in memory, bounded in number, size and age: finished ones go first, since a running one is about to be asked for.
 * A task is seen only by the user that began it.
 */
export function createTaskStore(options: TaskStoreOptions = {}): TaskStore {
  return new BoundedTaskStore(options);
}

const finalStates: ReadonlySet<TaskState> = new Set([
  TaskState.TASK_STATE_COMPLETED,
  TaskState.TASK_STATE_FAILED,
  TaskState.TASK_STATE_CANCELED,
  TaskState.TASK_STATE_REJECTED,
]);

/** Whether a task is over. */
export function isFinal({ status }: Task): boolean {
  return finalStates.has(status?.state ?? TaskState.TASK_STATE_UNSPECIFIED);
}

class BoundedTaskStore implements TaskStore {
  readonly #running = new Map<string, StoredTask>();
  // In the order in which they finished, which is also the order in which they expire.
  readonly #finished = new Map<string, StoredTask>();
  readonly #maxTasks: number;
  readonly #maxBytes: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  #finishedBytes = 0;

  constructor({
    maxTasks = 10_000,
    maxBytes = 64 * 1024 * 1024,
    ttlMs = 3_600_000,
    clock = systemClock,
  }: TaskStoreOptions) {
    this.#maxTasks = requireWhole('maxTasks', maxTasks, 1);
    this.#maxBytes = requireWhole('maxBytes', maxBytes, 1);
    this.#ttlMs = requireWhole('ttlMs', ttlMs, 1);
    this.#clock = clock;
  }

  async save(task: Task, context: ServerCallContext): Promise<void> {
    const state = task.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
    const key = keyOf(task.id, context);
    const stored: StoredTask = {
      ...(isFinal(task) ? packed(task) : shared(task)),
      owner: ownerOf(context),
      id: task.id,
      contextId: task.contextId,
      state,
      timestamp: task.status?.timestamp ?? '',
      expiresAtMs: this.#clock.monotonicMs() + this.#ttlMs,
    };
    this.#running.delete(key);
    this.#forget(key);
    if (!isFinal(task)) {
      this.#running.set(key, stored);
      // No more run than there are workers, unless one was lost before its end.
      if (this.#running.size > this.#maxTasks) this.#running.delete(this.#running.keys().next().value ?? '');
      return;
    }
    this.#finished.set(key, stored);
    this.#finishedBytes += stored.bytes;
    this.#dropOldest();
  }

  async load(taskId: string, context: ServerCallContext): Promise<Task | undefined> {
    this.#dropOldest();
    const key = keyOf(taskId, context);
    const stored = this.#running.get(key) ?? this.#finished.get(key);
    return stored?.read();
  }

  async list(request: ListTasksRequest, context: ServerCallContext): Promise<ListTasksResponse> {
    this.#dropOldest();
    const owner = ownerOf(context);
    const own: StoredTask[] = [];
    for (const tasks of [this.#running, this.#finished]) {
      for (const stored of tasks.values()) if (stored.owner === owner) own.push(stored);
    }
    return pageOf(own, request);
  }

  #dropOldest(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { expiresAtMs }] of this.#finished) {
      const over = this.#finished.size > this.#maxTasks || this.#finishedBytes > this.#maxBytes;
      if (!over && expiresAtMs > nowMs) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const stored = this.#finished.get(key);
    if (stored === undefined) return;
    this.#finishedBytes -= stored.bytes;
    this.#finished.delete(key);
  }
}

type Held = Pick<StoredTask, 'read' | 'bytes'>;

/** What is kept for long is kept small, and its size is known. */
function packed(task: Task): Held {
  const bytes = serialize(joined(task));
  return { read: () => deserialize(bytes) as Task, bytes: bytes.length };
}

/**
 * A running task is read and written for each piece of its answer, so its messages and parts are shared with whoever reads it: like the SDK they put others
 * in their place, and change none.
 */
function shared(task: Task): Held {
  const kept = joined(task);
  return { read: () => joined(kept), bytes: 0 };
}

function joined(task: Task): Task {
  return { ...task, history: [...task.history], artifacts: task.artifacts.map(joinText) };
}

function ownerOf({ tenant = '', user }: ServerCallContext): string {
  return JSON.stringify([tenant, user?.userName ?? '']);
}

function keyOf(taskId: string, context: ServerCallContext): string {
  return `${ownerOf(context)}${taskId}`;
}
