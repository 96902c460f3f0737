import type { ServerCallContext, TaskStore } from '@a2a-js/sdk/server';
import { toldOf } from '../http/respond.ts';
import { Caller } from './caller.ts';

/** A store whose errors clients may read: the SDK writes their text into its answers and into tasks. The request keeps what they were. */
export function toldTasks(tasks: TaskStore): TaskStore {
  return {
    save: (task, context) => tasks.save(task, context).catch(failIn(context)),
    load: (id, context) => tasks.load(id, context).catch(failIn(context)),
    list: (request, context) => tasks.list(request, context).catch(failIn(context)),
  };
}

function failIn({ user }: ServerCallContext): (error: unknown) => never {
  return (error) => {
    if (user instanceof Caller) user.exchange.failed(error);
    throw toldOf(error);
  };
}
