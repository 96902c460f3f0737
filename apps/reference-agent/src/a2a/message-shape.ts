import { SendMessageRequest } from '@a2a-js/sdk';

export const notAMessage = 'The message does not have the shape of an A2A message.';

/** Whether the SDK can read `params` as a message. Where it cannot it would throw, and take that for a fault of its own. */
export function isMessage(params: unknown): boolean {
  try {
    SendMessageRequest.fromJSON(params ?? {});
    return true;
  } catch {
    return false;
  }
}
