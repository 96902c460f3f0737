/** Connection pools for `sage_pool_connections`, `sage_pool_waiting` and `sage_pool_max_connections`, read at scrape. */
import { source } from '@sage-adk/core';

/** What a pool says of itself now; what it does not know is missing. */
export interface PoolReading {
  /** Connections in use. */
  readonly active?: number | undefined;
  readonly idle?: number | undefined;
  /** Calls that wait for a connection. */
  readonly waiting?: number | undefined;
  /** Connections that there may be. */
  readonly max?: number | undefined;
}

/**
 * Shows a pool in the metrics of this process until it is disposed. Pools of one name are summed.
 *
 * @param name the label `pool`; one of few
 * @example
 * ```ts
 * using watched = watchPool('postgres', pgConnections(pool));
 * ```
 */
export function watchPool(name: string, read: () => PoolReading): Disposable {
  const levels = (choose: (reading: PoolReading) => Readonly<Record<string, number | undefined>>) => () => {
    return Object.fromEntries(Object.entries(choose(read())).filter(isKnown));
  };
  const sources = [
    source(
      'connections.pools',
      levels(({ active, idle }) => ({ [`${name}|active`]: active, [`${name}|idle`]: idle })),
    ),
    source(
      'connections.waiting',
      levels(({ waiting }) => ({ [name]: waiting })),
    ),
    source(
      'connections.max',
      levels(({ max }) => ({ [name]: max })),
    ),
  ];
  return {
    [Symbol.dispose]() {
      for (const one of sources) one[Symbol.dispose]();
    },
  };
}

function isKnown(entry: [string, number | undefined]): entry is [string, number] {
  return entry[1] !== undefined && Number.isFinite(entry[1]);
}
