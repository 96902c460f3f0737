/**
 * Operations that may be left unfinished: a dropped iterator, a body nobody reads, a promise that never settles.
 *
 * Each ends once all the same: when its context's signal aborts (the sweep sees it within two seconds), when whoever could end it was collected, or at drain.
 */
import { AsyncResource } from 'node:async_hooks';
import { systemClock } from '../clock.ts';
import { type OpenRecord, shared } from '../shared.ts';
import type { LiveOperation } from './live-operation.ts';

const sweepIntervalMs = 1_000;

/** Ends what is still open, at shutdown. Returns how many there were. */
export function endOpen(): number {
  const count = shared.open.size;
  while (shared.open.first !== undefined) shared.open.first.abandon();
  return count;
}

/** How many operations are open and wait for a body, an iterator or a promise to finish. */
export function openOperations(): number {
  return shared.open.size;
}

/** One operation in the open set. Its holder is whatever could still end it. */
export class Held implements OpenRecord {
  previous: OpenRecord | undefined;
  next: OpenRecord | undefined = shared.open.first;
  readonly live: LiveOperation;
  /** The consumer asked for the end; a source that never confirms is not waited for. */
  closing = false;
  /** Last activity on the clock of `performance.now()`; 0 is none since the start. */
  touchedMs = 0;
  #holder: object | undefined;
  #watched = false;

  constructor(live: LiveOperation, holder: object) {
    this.live = live;
    this.#holder = holder;
    if (this.next !== undefined) this.next.previous = this;
    shared.open.first = this;
    shared.open.size++;
    shared.sweeper ??= outside.runInAsyncScope(everySweep);
  }

  sweep(): void {
    const signal = this.live.context?.signal;
    if (signal?.aborted) return this.fail(signal.reason);
    if (this.closing) return this.finish('cancelled');
    if (this.#holder === undefined) return;
    // Only what outlives a sweep is watched by the collector: registering costs more than a short operation.
    dropped.register(this.#holder, this, this);
    this.#watched = true;
    this.#holder = undefined;
  }

  abandon(): void {
    this.finish('cancelled');
  }

  /** Ends with what was settled, or with `outcome` where nothing was. */
  finish(outcome: 'ok' | 'cancelled'): void {
    this.release();
    if (this.live.outcome === 'ok') this.live.settle(outcome);
    this.live.end();
  }

  fail(error: unknown): void {
    this.release();
    this.live.fail(error);
  }

  release(): void {
    this.#holder = undefined;
    if (this.#watched) dropped.unregister(this);
    this.unlink();
  }

  unlink(): void {
    if (this.previous === undefined && shared.open.first !== this) return;
    if (this.previous === undefined) shared.open.first = this.next;
    else this.previous.next = this.next;
    if (this.next !== undefined) this.next.previous = this.previous;
    this.previous = this.next = undefined;
    shared.open.size--;
  }
}

const dropped = new FinalizationRegistry<Held>((held) => {
  held.unlink();
  if (held.live.outcome === 'ok') held.live.settle('cancelled');
  held.live.end(held.touchedMs || held.live.startedMs);
});

/** The timer is set here, or what it ends would be told in the trace of whichever request happened to set it, and that would be held on to. */
const outside = new AsyncResource('sage-adk:sweep');

function everySweep(): { cancel(): void } {
  return systemClock.setTimer(() => {
    for (let record = shared.open.first; record !== undefined;) {
      const { next } = record;
      record.sweep();
      record = next;
    }
    shared.sweeper = shared.open.size === 0 ? undefined : everySweep();
  }, sweepIntervalMs);
}
