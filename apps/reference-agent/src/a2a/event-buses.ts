import {
  DefaultExecutionEventBus,
  type ExecutionEventBus,
  type ExecutionEventBusManager,
  type ServerCallContext,
} from '@a2a-js/sdk/server';

/** The buses of running tasks. Unlike the SDK's own, it keeps nothing of a tenant or user once their tasks ended. */
export function createEventBuses(): ExecutionEventBusManager {
  const buses = new Map<string, ExecutionEventBus>();
  return {
    createOrGetByTaskId(taskId, context) {
      const key = keyOf(taskId, context);
      const bus = buses.get(key) ?? new DefaultExecutionEventBus();
      buses.set(key, bus);
      return bus;
    },
    getByTaskId: (taskId, context) => buses.get(keyOf(taskId, context)),
    cleanupByTaskId(taskId, context) {
      const key = keyOf(taskId, context);
      buses.get(key)?.removeAllListeners();
      buses.delete(key);
    },
  };
}

function keyOf(taskId: string, context: ServerCallContext | undefined): string {
  return JSON.stringify([context?.tenant ?? '', context?.user?.userName ?? '', taskId]);
}
