import type { ListTasksRequest, ListTasksResponse, Task } from '@a2a-js/sdk';
import { TaskState } from '@a2a-js/sdk';

/** A task as the store holds it, and beside it what lists are filtered by. */
export interface StoredTask {
  /** A copy of the task. */
  readonly read: () => Task;
  /** Its size, which counts once it is over; 0 before. */
  readonly bytes: number;
  readonly owner: string;
  readonly id: string;
  readonly contextId: string;
  readonly state: TaskState;
  readonly timestamp: string;
  readonly expiresAtMs: number;
}

/** One page of `stored`, newest first. Only the tasks of the page itself are read. */
export function pageOf(stored: readonly StoredTask[], request: ListTasksRequest): ListTasksResponse {
  const { contextId, status, pageSize = 50, pageToken, statusTimestampAfter, includeArtifacts = false } = request;
  const afterMs = statusTimestampAfter ? Date.parse(statusTimestampAfter) : Number.NEGATIVE_INFINITY;
  const fitting = stored
    .filter(
      (task) =>
        (!contextId || task.contextId === contextId) &&
        (status === undefined || status === TaskState.TASK_STATE_UNSPECIFIED || task.state === status) &&
        !(Date.parse(task.timestamp) <= afterMs),
    )
    .toSorted(newestFirst);
  const rest = pageToken ? fitting.filter((task) => newestFirst(task, cursorOf(pageToken)) > 0) : fitting;
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  return {
    tasks: page.map(({ read }) => {
      const task = read();
      return includeArtifacts ? task : { ...task, artifacts: [] };
    }),
    nextPageToken: last !== undefined && rest.length > page.length ? tokenOf(last) : '',
    pageSize,
    totalSize: fitting.length,
  };
}

type Position = Pick<StoredTask, 'timestamp' | 'id'>;

function newestFirst(a: Position, b: Position): number {
  return compare(b.timestamp, a.timestamp) || compare(b.id, a.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function tokenOf({ timestamp, id }: Position): string {
  return Buffer.from(`${timestamp}|${id}`).toString('base64url');
}

// A token that is not ours points at the end: an empty page, not an error.
function cursorOf(token: string): Position {
  const [timestamp = '', id = ''] = Buffer.from(token, 'base64url').toString('utf8').split('|', 2);
  return { timestamp, id };
}
