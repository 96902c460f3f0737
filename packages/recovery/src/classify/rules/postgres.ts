import type { Reason } from '../classification.ts';
import type { ErrorFacts } from '../facts.ts';

/** @see https://www.postgresql.org/docs/18/errcodes-appendix.html */
const reasonByState: Readonly<Record<string, Reason>> = {
  '25006': 'storage',
  '3D000': 'config',
  '40001': 'conflict',
  '40P01': 'conflict',
  '53100': 'storage',
  '55P03': 'conflict',
  '57P01': 'unavailable',
  '57P02': 'unavailable',
  '57P03': 'unavailable',
  '57P05': 'network',
  '58030': 'storage',
  XX001: 'corruption',
  XX002: 'corruption',
};

/** Where the whole class means one thing. */
const reasonByClass: Readonly<Record<string, Reason>> = {
  '08': 'network',
  '22': 'invalid',
  '23': 'invalid',
  '25': 'invalid',
  '28': 'auth',
  '42': 'invalid',
  '53': 'overloaded',
};

/** What an error means that PostgreSQL answered. */
export function byPostgres({ sqlState, message }: ErrorFacts): Reason | undefined {
  if (sqlState === undefined) return undefined;
  // Cancelled: by whoever asked, or because it took too long.
  if (sqlState === '57014') return /timeout/.test(message) ? 'timeout' : 'caller';
  return reasonByState[sqlState] ?? reasonByClass[sqlState.slice(0, 2)] ?? 'unknown';
}
