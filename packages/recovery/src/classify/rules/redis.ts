import { wordIn } from '../bag.ts';
import type { Reason } from '../classification.ts';
import type { ErrorFacts } from '../facts.ts';

/** The first word of an error of Redis. */
const reasonByWord: Readonly<Record<string, Reason>> = {
  LOADING: 'unavailable',
  READONLY: 'unavailable',
  MASTERDOWN: 'unavailable',
  CLUSTERDOWN: 'unavailable',
  NOREPLICAS: 'unavailable',
  TRYAGAIN: 'unavailable',
  BUSY: 'overloaded',
  OOM: 'storage',
  MISCONF: 'storage',
  NOAUTH: 'auth',
  WRONGPASS: 'auth',
  NOPERM: 'auth',
  NOSCRIPT: 'not_found',
  WRONGTYPE: 'invalid',
  EXECABORT: 'invalid',
  CROSSSLOT: 'invalid',
  MOVED: 'config',
  ASK: 'config',
};

const classes: ReadonlySet<string> = new Set(['SimpleError', 'BlobError', 'ErrorReply', 'ReplyError']);

/** What an error means that Redis, or Valkey, answered. */
export function byRedis({ name, message }: ErrorFacts): Reason | undefined {
  if (!classes.has(name)) return undefined;
  const [word = ''] = message.split(' ', 1);
  if (word !== 'ERR') return wordIn(reasonByWord, word) ?? 'unknown';
  if (/max number of clients/.test(message)) return 'overloaded';
  return /unknown (sub)?command/.test(message) ? 'unsupported' : 'invalid';
}
