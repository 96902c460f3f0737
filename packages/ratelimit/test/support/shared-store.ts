import type { Clock } from '@sage-adk/core';
import { redisErrors } from '@sage-adk/core/redis';
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory.ts';
import type { LimiterStore } from '../../src/stores/store.ts';

/** How the network and the server behave. */
export type Trouble = Behaviour & {
  /** Toward calls of this name; to others nothing happens. @default all */
  readonly only?: string;
};

type Behaviour =
  | { readonly name: 'none' }
  /** Answers after so long. */
  | { readonly name: 'slow'; readonly ms: number }
  /** Never answers; `carriesOut` tells whether the call reaches the server all the same. */
  | { readonly name: 'stalled'; readonly carriesOut: boolean }
  /** Refuses at once. */
  | { readonly name: 'refused' }
  /** Carries calls out, and is lost before it answers. */
  | { readonly name: 'cut' };

export interface SharedStore {
  readonly store: LimiterStore;
  /** What the server holds. */
  readonly server: MemoryStore;
  /** Calls that reached it, by name. */
  readonly calls: string[];
  trouble: Trouble;
}

/** A store on another machine, as far as its caller can tell: every answer comes through a promise, and may fail to. Several may share a server. */
export function createSharedStore(clock: Clock, server = createMemoryStore({ clock })): SharedStore {
  const shared: SharedStore = {
    server,
    calls: [],
    trouble: { name: 'none' },
    store: {
      kind: 'fake',
      decide: (request) => call(request.kind, () => server.decide(request)),
      settle: (request) => call('settle', () => server.settle(request)),
      extend: (request) => call('extend', () => server.extend(request)),
      reset: (asks) => call('reset', () => server.reset(asks)),
      snapshot: (rules, limit) => call('snapshot', () => server.snapshot(rules, limit)),
      close() {},
      [Symbol.asyncDispose]: async () => {},
    },
  };
  const call = <T>(name: string, run: () => T): Promise<T> => {
    const { only = name } = shared.trouble;
    const trouble: Trouble = only === name ? shared.trouble : { name: 'none' };
    if (trouble.name === 'refused') return Promise.reject(new Error('connection refused'));
    if (trouble.name === 'cut') {
      run();
      return Promise.reject(redisErrors.UNAVAILABLE({ script: name, reason: 'connection lost', sent: true }));
    }
    if (trouble.name === 'stalled') {
      if (trouble.carriesOut) run();
      return new Promise(() => {});
    }
    shared.calls.push(name);
    // The caller's arguments are read when the server gets to them.
    return new Promise((resolve) => {
      const answer = (): void => resolve(run());
      if (trouble.name === 'slow') clock.setTimer(answer, trouble.ms);
      else queueMicrotask(answer);
    });
  };
  return shared;
}
