import { defineErrors } from '../errors/define-errors.ts';
import type { SageError } from '../errors/sage-error.ts';

export const redisErrors = defineErrors('REDIS', {
  NOT_READY: { category: 'transient', status: 503, message: 'Redis is not connected; nothing was sent.' },
  DEADLINE: {
    category: 'transient',
    outcome: 'timeout',
    status: 503,
    message: 'Redis did not answer within {deadlineMs} ms; whether it ran the script is unknown.',
  },
  UNAVAILABLE: { category: 'transient', status: 503, message: 'Redis could not run the script {script}: {reason}' },
  WRONG_KEYS: {
    category: 'permanent',
    status: 500,
    message: 'The script {script} takes {numberOfKeys} keys and was given {given}.',
  },
  SCRIPT_FAILED: { category: 'permanent', status: 500, message: 'Redis refused the script {script}: {reason}' },
});

// Replies that another try, another node or a little time can mend.
const transientReplies = new Set([
  'ASK',
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'MOVED',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNKILLABLE',
]);

/** Whether the server said that it does not know a script by its digest. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** What clients say of a command that they did not send. */
const unsent = /^The (client is (offline|closed)|queue is full)$|isn't (writeable|ready) and enableOfflineQueue/;

/**
 * The error of the table for whatever a client threw, which stays its cause. Where neither the server nor the client says that the script was not run,
 * `details.sent` is true.
 */
export function toRedisError(error: unknown, script: string): SageError {
  const reason = error instanceof Error ? error.message : String(error);
  // An error reply starts with a word in capitals; what is no reply is a lost connection or a full queue.
  const reply = /^[A-Z]{2,}[A-Z0-9]*(?= |$)/.exec(reason)?.[0];
  const make = reply === undefined || transientReplies.has(reply) ? redisErrors.UNAVAILABLE : redisErrors.SCRIPT_FAILED;
  const sent = reply === undefined && !unsent.test(reason);
  return make({ script, reason, ...(sent && { sent }) }, { cause: error });
}
