import type { CompiledStrategy } from '../../strategies/strategy.ts';
import { BucketCounter } from './bucket-counter.ts';
import type { Counter } from './counter.ts';
import { SlidingCounter } from './sliding-counter.ts';
import { SlotsCounter } from './slots-counter.ts';
import { WindowCounter } from './window-counter.ts';

export type { Counter, Instant } from './counter.ts';

/** Makes the counter of a strategy, for slots up to `maxKeys`. */
export function createCounter(strategy: CompiledStrategy, maxKeys: number): Counter {
  switch (strategy.kind) {
    case 'bucket':
      return new BucketCounter(strategy, maxKeys);
    case 'window':
      return new WindowCounter(strategy, maxKeys);
    case 'sliding':
      return new SlidingCounter(strategy, maxKeys);
    default:
      return new SlotsCounter(strategy, maxKeys);
  }
}
