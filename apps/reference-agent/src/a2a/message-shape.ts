import { SendMessageRequest } from '@a2a-js/sdk';

export const notAMessage = 'The message does not have the shape of an A2A message.';

/** What the SDK reads of JSON. */
export interface Shape {
  fromJSON(json: unknown): unknown;
}

export function isMessage(params: unknown): boolean {
  return canRead(SendMessageRequest, params);
}

/** Whether the SDK can read `params` as this. Where it cannot it would throw, and take that for a fault of its own. */
export function canRead(shape: Shape, params: unknown): boolean {
  try {
    shape.fromJSON(params ?? {});
    return true;
  } catch {
    return false;
  }
}
