import { emit } from '@sage-adk/core';
import { deadlineErrors } from '@sage-adk/core/deadline';

/** Why a call that waited is not made: its deadline has passed. Told to observers as every timeout. */
export function late(operation: string, allowedMs: number): Error {
  const timeoutMs = Math.max(0, Math.round(allowedMs));
  emit('timeout.fired', { operation, timeoutMs });
  return deadlineErrors.EXCEEDED({ operation, timeoutMs });
}
