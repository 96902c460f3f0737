/** What an A2A answer tells of the call, read by shape: the SDK's objects and the JSON of the wire alike. */
import type { EndOf } from '../catalogue-types.ts';

type Learned = EndOf<'a2a.send'>;
type Bag = Readonly<Record<string, unknown>>;

// The numbers of the protocol's TaskState, which the SDK uses in place of the names.
const states = [
  'UNSPECIFIED',
  'SUBMITTED',
  'WORKING',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'INPUT_REQUIRED',
  'REJECTED',
  'AUTH_REQUIRED',
];

/** Attributes of a message, a task, a status or artifact update, or a stream event around one of them; empty for anything else. */
export function learn(answer: unknown): Learned {
  const value = unwrap(answer);
  if (value === undefined) return {};
  const status = bagAt(value, 'status');
  const taskId = textAt(value, 'taskId') ?? (status === undefined ? undefined : textAt(value, 'id'));
  const messageId = textAt(value, 'messageId');
  const taskState = status === undefined ? undefined : stateName(status['state']);
  return {
    ...(taskId !== undefined && { taskId }),
    ...(messageId !== undefined && { messageId }),
    ...(taskState !== undefined && { taskState }),
  };
}

/** Whether the learned state means that the task did not come to a good end. */
export function isFailure({ taskState }: Learned): boolean {
  return taskState === 'TASK_STATE_FAILED' || taskState === 'TASK_STATE_REJECTED';
}

// A stream event of the SDK is { payload: { $case, value } }; on the wire it is { task } or { message } or { statusUpdate } or { artifactUpdate }.
function unwrap(answer: unknown): Bag | undefined {
  const bag = asBag(answer);
  if (bag === undefined) return undefined;
  const payload = bagAt(bag, 'payload');
  if (payload !== undefined) return bagAt(payload, 'value');
  return (
    bagAt(bag, 'task') ?? bagAt(bag, 'message') ?? bagAt(bag, 'statusUpdate') ?? bagAt(bag, 'artifactUpdate') ?? bag
  );
}

function asBag(value: unknown): Bag | undefined {
  return typeof value === 'object' && value !== null ? (value as Bag) : undefined;
}

function bagAt(bag: Bag, key: string): Bag | undefined {
  return asBag(bag[key]);
}

function textAt(bag: Bag, key: string): string | undefined {
  const value = bag[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function stateName(state: unknown): string | undefined {
  if (typeof state === 'string') return state;
  const name = typeof state === 'number' ? states[state] : undefined;
  return name === undefined ? undefined : `TASK_STATE_${name}`;
}
