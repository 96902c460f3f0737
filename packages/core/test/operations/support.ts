import { observe, type Observer, type OperationRecord } from '../../src/index.ts';

/** Watches everything and keeps the ends; `last` insists that exactly one operation ended since the last look. */
export function recorder(extra: Partial<Observer> = {}) {
  const starts: string[] = [];
  const ends: OperationRecord[] = [];
  const subscription = observe({
    name: 'recorder',
    operation: () => ({
      start: (record) => void starts.push(record.name),
      end: (record) => void ends.push(record),
    }),
    ...extra,
  });
  return {
    starts,
    ends,
    last(): OperationRecord {
      const [record, ...others] = ends.splice(0);
      if (record === undefined || others.length > 0)
        throw new Error(`expected exactly one end, got ${others.length + (record ? 1 : 0)}`);
      return record;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

export const call = { provider: 'p', model: 'm', api: 'chat', stream: true } as const;
export const entry = { store: 's', namespace: 'n' } as const;

/** Runs the collector until `done`; gives up after ten seconds and more. */
export async function collectUntil(done: () => boolean): Promise<void> {
  for (let round = 0; round < 1_000 && !done(); round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sweeps the open operations now, as the timer does each second. */
export function sweep(): void {
  const shared = (globalThis as unknown as Record<symbol, { open: { first: Swept | undefined } }>)[
    Symbol.for('@sage-adk/core/v1')
  ];
  for (let record = shared?.open.first; record !== undefined;) {
    const { next } = record;
    record.sweep();
    record = next;
  }
}

interface Swept {
  readonly next: Swept | undefined;
  sweep(): void;
}
