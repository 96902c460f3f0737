import type { AgentCard } from '@a2a-js/sdk';
import type { A2ARequestHandler, TaskStore } from '@a2a-js/sdk/server';
import { instrumentA2aHandler } from '@sage-adk/core/a2a';
import type { Surfaces, Work } from '../http/surface.ts';
import type { MessageHandler } from '../messages/handler.ts';
import { jsonRpcPath, restPath } from './card.ts';
import { cardPath, createCardSurface } from './card-surface.ts';
import { createExecutor } from './executor.ts';
import { createJsonRpc } from './json-rpc.ts';
import { createA2aProbe } from './probe.ts';
import { RequestHandler } from './request-handler.ts';
import { createRest } from './rest.ts';
import { createTaskStore } from './task-store.ts';
import { toldTasks } from './told-tasks.ts';

export interface A2aOptions {
  readonly card: AgentCard;
  readonly handle: MessageHandler;
  readonly work: Work;
  /** What it throws is told to no client. @default one in memory */
  readonly tasks?: TaskStore;
}

export interface A2a extends Surfaces {
  /** Rejects where A2A does not answer as it should. */
  readonly probe: () => Promise<void>;
}

/** A2A on both its HTTP bindings, with the card that names them. */
export function createA2a({ card, handle, work, tasks }: A2aOptions): A2a {
  const plain = new RequestHandler(card, tasks ? toldTasks(tasks) : createTaskStore(), createExecutor(handle));
  const handler = instrumentA2aHandler<A2ARequestHandler>(plain);
  return {
    probe: createA2aProbe(plain),
    byPath: {
      [cardPath]: createCardSurface(card, new Date()),
      [jsonRpcPath]: createJsonRpc({ handler, card, work }),
    },
    below: { [`${restPath}/`]: createRest({ handler, work }) },
  };
}
