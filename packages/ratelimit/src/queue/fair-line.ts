import type { Clock } from '@sage-adk/core';
import { createFairQueue, type FairQueue, type Priority, type Ticket } from '@sage-adk/core/queue';

export interface FairLineOptions {
  readonly tenantWeight: (tenant: string) => number;
  readonly userWeight: (user: string) => number;
  readonly ageingMs: number;
  readonly clock: Clock;
}

/** What a line needs to know of an entry. */
export interface Placed {
  readonly tenant: string;
  readonly user: string;
  readonly priority: Priority;
  /** What the entry uses up of its tenant's and its user's share; above 0, at most 1e12. */
  readonly share: number;
}

/** Entries that wait for the same thing: fair between tenants by weight, then between the users of a tenant, then by priority and age. Unbounded. */
export class FairLine<E extends Placed> {
  readonly #options: FairLineOptions;
  /** A turn for each entry, in the order of the tenants. Whose turn it was made for doesn't matter. */
  readonly #turns: FairQueue<Turn<E>>;
  readonly #users = new Map<string, FairQueue<E>>();
  readonly #tickets = new Map<E, Tickets<E>>();

  constructor(options: FairLineOptions) {
    this.#options = options;
    const { tenantWeight, ageingMs, clock } = options;
    this.#turns = createFairQueue({ maxSize: unbounded, weightOf: tenantWeight, ageingMs, clock });
  }

  get size(): number {
    return this.#tickets.size;
  }

  /** Throws where a weight cannot be, or a function of weights throws; then the entry is not in the line. */
  push(entry: E): void {
    const { tenant, user, priority, share } = entry;
    const turn: Turn<E> = { owner: entry };
    const outer = this.#turns.push(turn, { tenant, cost: share });
    try {
      const inner = this.#usersOf(tenant).push(entry, { tenant: user, priority, cost: share });
      if (inner.accepted && outer.accepted) this.#tickets.set(entry, { inner, outer, turn });
    } catch (error) {
      if (outer.accepted) outer.cancel();
      this.#forget(entry);
      throw error;
    }
  }

  /** Who is first. */
  peek(): E | undefined {
    const turn = this.#turns.peek();
    return turn === undefined ? undefined : this.#users.get(turn.owner.tenant)?.peek();
  }

  /** Takes out who is first and charges its share. */
  shift(): E | undefined {
    const turn = this.#turns.shift();
    const entry = turn === undefined ? undefined : this.#users.get(turn.owner.tenant)?.shift();
    if (turn === undefined || entry === undefined) return undefined;
    const own = this.#tickets.get(entry);
    const other = this.#tickets.get(turn.owner);
    if (own !== undefined && other !== undefined && own !== other) {
      // It went on the turn of another of its tenant, who gets its turn instead.
      own.turn.owner = turn.owner;
      this.#tickets.set(turn.owner, { inner: other.inner, outer: own.outer, turn: own.turn });
    }
    this.#forget(entry);
    return entry;
  }

  /** Takes an entry out without charging it. */
  remove(entry: E): void {
    const tickets = this.#tickets.get(entry);
    if (tickets === undefined) return;
    tickets.inner.cancel();
    tickets.outer.cancel();
    this.#forget(entry);
  }

  [Symbol.iterator](): IterableIterator<E> {
    return this.#tickets.keys();
  }

  #forget(entry: E): void {
    this.#tickets.delete(entry);
    if (this.#users.get(entry.tenant)?.size === 0) this.#users.delete(entry.tenant);
  }

  #usersOf(tenant: string): FairQueue<E> {
    const known = this.#users.get(tenant);
    if (known !== undefined) return known;
    const { userWeight, ageingMs, clock } = this.#options;
    const users = createFairQueue<E>({ maxSize: unbounded, weightOf: userWeight, ageingMs, clock });
    this.#users.set(tenant, users);
    return users;
  }
}

interface Turn<E> {
  owner: E;
}

interface Tickets<E> {
  readonly inner: Ticket;
  readonly outer: Ticket;
  readonly turn: Turn<E>;
}

const unbounded = 2 ** 31;
