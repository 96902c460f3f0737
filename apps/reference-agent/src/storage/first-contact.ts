/** What becomes of an agent whose storage cannot be used when it starts. */
import { emit, isSageError } from '@sage-adk/core';
import { createClassifier } from '@sage-adk/recovery';
import { errors } from '../errors.ts';

/** A server, and where the configuration says it is. */
export interface Place {
  readonly server: string;
  readonly url: string;
  /** The key of the configuration that names it. */
  readonly key: string;
}

/**
 * Tells of a server that is away, as whatever needs it does while it is away later on: an agent that was restarted must serve as well as one that was not.
 *
 * Throws `STORAGE_UNREACHABLE` where the server answered and refused, such as a wrong password: that does not mend itself.
 */
export function tellAway(place: Place, cause: unknown): void {
  const error = unreachable(place, cause);
  if (!isAway(cause)) throw error;
  emit('error.critical', { source: 'storage', reason: 'unreachable', message: error.message });
}

const classifier = createClassifier();

/** Whether nobody answered, or said that it is not the time yet. */
function isAway(error: unknown): boolean {
  const raw = isSageError(error) ? (error.cause ?? error) : error;
  // Where servers have names of their own, one that is away has none.
  if ((raw as { readonly code?: unknown }).code === 'ENOTFOUND') return true;
  return classifier.classify(raw).category === 'transient';
}

/** Names the host and never the whole URL, which holds the password. */
function unreachable({ server, url, key }: Place, cause: unknown) {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  return errors.STORAGE_UNREACHABLE(
    { server, place: new URL(url).host, reason: code ?? message ?? 'no answer', key },
    { cause },
  );
}
