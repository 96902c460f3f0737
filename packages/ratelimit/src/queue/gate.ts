import type { Clock, Timer } from '@sage-adk/core';
import type { Limit } from '../limiter.ts';
import type { Denied, Reservation } from '../reservation.ts';
import type { FairLine } from './fair-line.ts';
import type { Outcome, Waiting } from './waiting.ts';

/** What a gate asks of the queue. */
export interface Gates {
  readonly clock: Clock;
  /** Longest wait before slots are asked for again, since another process may have given one back; ten times as long for other units. */
  readonly pollMs: number;
  reserve(entry: Waiting): Promise<Reservation | Denied>;
  /** A gate that others wait at and that an entry has to pass first. */
  nextGate(entry: Waiting, from: Gate): Gate | undefined;
  gateAt(place: Place): Gate;
  end(entry: Waiting, outcome: Outcome): void;
  /** Nobody waits here any more. */
  vacate(gate: Gate): void;
}

/** One limit of one key. */
export type Place = Pick<Limit, 'rule' | 'key'>;

export function nameOf({ rule, key }: Place): string {
  return `${rule} ${key}`;
}

/**
 * Those who wait for one limit of one key. The first of them tries when the limit has room again; who comes later waits behind, whatever room there is.
 *
 * Who tries and is denied by another limit waits at that one's gate, and the next one tries here. Who must wait at the gate of a limit that all share
 * goes there alone: the others would only crowd it, for a limit that this gate may not let them have.
 */
export class Gate {
  readonly name: string;
  readonly rule: string;
  readonly line: FairLine<Waiting>;
  readonly #isShared: boolean;
  readonly #gates: Gates;
  #denied: Denied | undefined;
  #trying = false;
  #again = false;
  #ahead: Waiting | undefined;
  #timer: Timer | undefined;

  constructor(place: Place, line: FairLine<Waiting>, gates: Gates) {
    this.name = nameOf(place);
    this.rule = place.rule;
    this.line = line;
    this.#isShared = place.key === '';
    this.#gates = gates;
  }

  /** Why entries wait here; for those who never get to try. */
  get denied(): Denied | undefined {
    return this.#denied;
  }

  /** Whether who comes must wait here. */
  get isBusy(): boolean {
    return this.line.size > 0 || this.#ahead !== undefined;
  }

  /** Throws where a weight cannot be. @param denied why, where that is news. */
  push(entry: Waiting, denied?: Denied): void {
    try {
      this.line.push(entry);
    } catch (error) {
      if (!this.isBusy) this.#gates.vacate(this);
      throw error;
    }
    entry.gate = this;
    if (denied !== undefined) this.#sleep(denied);
    // It goes before those that the gate sleeps for, and may ask for less than they do.
    else if (this.#ahead === undefined && this.line.peek() === entry) this.wake();
  }

  /** The wait of somebody who stood here, or went ahead from here, is over. */
  leave(entry: Waiting): void {
    const wasFirst = this.line.peek() === entry || this.#ahead === entry;
    this.line.remove(entry);
    if (this.#ahead === entry) this.#ahead = undefined;
    if (wasFirst) this.wake();
  }

  /** Tries now, for whoever is first. */
  wake(): void {
    this.stop();
    this.#again = this.#trying;
    if (!this.#trying) void this.#admitWhile();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #admitWhile(): Promise<void> {
    this.#trying = true;
    for (let more = true; more; more = (await this.#admitOne()) || this.#again) this.#again = false;
    this.#trying = false;
    if (this.isBusy) return;
    this.stop();
    this.#gates.vacate(this);
  }

  /** Whether the next one may try at once. */
  async #admitOne(): Promise<boolean> {
    const entry = this.#ahead === undefined ? this.line.peek() : undefined;
    if (entry === undefined) return false;
    try {
      const next = this.#gates.nextGate(entry, this);
      if (next !== undefined) return this.#goTo(next, entry);
      const outcome = await this.#gates.reserve(entry);
      if (outcome.allowed) return await this.#pass(entry, outcome);
      return entry.gate !== this || this.#refuse(entry, outcome);
    } catch (error) {
      if (entry.gate === this) this.#end(entry, { name: 'failed', error });
      return true;
    }
  }

  async #pass(entry: Waiting, reservation: Reservation): Promise<true> {
    if (entry.gate !== this) {
      // It gave up while it was tried.
      await reservation.cancel();
      return true;
    }
    // It may be first no longer: somebody more urgent came while it was tried.
    if (this.line.peek() === entry) this.line.shift();
    this.#end(entry, { name: 'admitted', reservation });
    return true;
  }

  #refuse(entry: Waiting, denied: Denied): boolean {
    const { violated } = denied.decision;
    const here = violated.find((state) => nameOf(state) === this.name);
    const [longest = here] = violated;
    entry.denied = denied;
    if (denied.retryAfterMs === undefined || longest === undefined) {
      this.#end(entry, { name: 'refused', denied });
      return true;
    }
    if (here !== undefined) {
      this.#sleep(denied);
      return false;
    }
    const other = this.#gates.gateAt(longest);
    entry.passed.delete(other);
    if (other.#ahead === entry) other.#ahead = undefined;
    this.#goTo(other, entry, denied);
    return true;
  }

  /** Whether the next one may try at once. */
  #goTo(other: Gate, entry: Waiting, denied?: Denied): boolean {
    this.line.remove(entry);
    entry.passed.add(this);
    const alone = denied === undefined && other.#isShared && !this.#isShared;
    if (alone) this.#ahead = entry;
    other.push(entry, other.isBusy ? undefined : denied);
    return !alone;
  }

  #end(entry: Waiting, outcome: Outcome): void {
    this.line.remove(entry);
    this.#gates.end(entry, outcome);
  }

  #sleep(denied: Denied): void {
    this.#denied = denied;
    const { retryAfterMs = 0, unit } = denied.decision.violated.find((state) => nameOf(state) === this.name) ?? {};
    const { clock, pollMs } = this.#gates;
    this.stop();
    this.#timer = clock.setTimer(
      () => this.wake(),
      Math.ceil(Math.min(retryAfterMs, unit === 'concurrency' ? pollMs : 10 * pollMs)),
      // Somebody waits here, perhaps all that the process does.
      { keepAlive: true },
    );
  }
}
