import { A2A_ERROR_CODE } from '@a2a-js/sdk/errors';
import {
  type A2ARequestHandler,
  JsonRpcTransportHandler,
  ServerCallContext,
  UnauthenticatedUser,
} from '@a2a-js/sdk/server';
import { errors } from '../errors.ts';

const question = { jsonrpc: '2.0', id: 'health', method: 'GetTask', params: { id: 'health' } } as const;

/**
 * Asks for a task that nobody has, as a client would: the transport, the handler and the task store must say that there is none. It starts no task and is no
 * request in the metrics.
 */
export function createA2aProbe(handler: A2ARequestHandler): () => Promise<void> {
  const transport = new JsonRpcTransportHandler(handler);
  return async () => {
    const answer = await transport.handle(question, new ServerCallContext({ user: new UnauthenticatedUser() }));
    const { error } = answer as { readonly error?: { readonly code: number } };
    if (error?.code === A2A_ERROR_CODE.TASK_NOT_FOUND) return;
    throw errors.A2A_BROKEN({ answer: JSON.stringify(answer).slice(0, 200) });
  };
}
