import type { EventName, Events, OperationName } from '../catalogue-types.ts';
import { observe } from '../operations/observe.ts';
import type { OperationRecord } from '../operations/observer.ts';

/** What happened while it recorded. */
export interface OperationRecorder extends Disposable {
  /** Operations that ended, in the order of their ends. */
  readonly operations: readonly OperationRecord[];
  /** Operations that began, in the order of their starts, ended or not. */
  readonly started: readonly OperationRecord[];
  readonly events: readonly RecordedEvent[];
  /** The operations of one name that ended. */
  named<N extends OperationName>(name: N): readonly OperationRecord<N>[];
  /** The events of one name. */
  emitted<E extends EventName>(name: E): readonly Readonly<Events[E]>[];
  /** Forgets what was recorded so far. */
  clear(): void;
}

export interface RecordedEvent {
  readonly name: string;
  readonly event: unknown;
}

/**
 * Watches every operation and event of the process until it is disposed.
 *
 * @example
 * ```ts
 * using recorder = recordOperations();
 * await store.get('key');
 * assert.equal(recorder.named('storage.get')[0]?.attributes.hit, true);
 * ```
 */
export function recordOperations(): OperationRecorder {
  const operations: OperationRecord[] = [];
  const started: OperationRecord[] = [];
  const events: RecordedEvent[] = [];
  const subscription = observe({
    name: 'recorder',
    operation: () => ({ start: (record) => void started.push(record), end: (record) => void operations.push(record) }),
    event: (name) => (event) => void events.push({ name, event }),
  });
  return {
    operations,
    started,
    events,
    named: <N extends OperationName>(name: N) =>
      operations.filter((record): record is OperationRecord<N> => record.name === name),
    emitted: <E extends EventName>(name: E) =>
      events.flatMap((recorded) => (recorded.name === name ? [recorded.event as Readonly<Events[E]>] : [])),
    clear() {
      operations.length = started.length = events.length = 0;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
