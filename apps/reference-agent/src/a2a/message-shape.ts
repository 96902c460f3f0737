import { SendMessageRequest } from '@a2a-js/sdk';

export const notAMessage = 'The message does not have the shape of an A2A message.';

/** What the SDK reads of JSON. */
export interface Shape {
  fromJSON(json: unknown): unknown;
}

export function isMessage(params: unknown): boolean {
  return canRead(SendMessageRequest, params);
}

/** Levels of lists and objects in each other. The SDK copies and keeps what it reads, and each of that ends somewhere beyond a thousand. */
const deepest = 200;

/** Whether the SDK can read `params` as this. Where it cannot it would throw, and take that for a fault of its own. */
export function canRead(shape: Shape, params: unknown): boolean {
  if (!isWithin(deepest, params)) return false;
  try {
    shape.fromJSON(params ?? {});
    return true;
  } catch {
    return false;
  }
}

function isWithin(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(levels - 1, inner));
}
