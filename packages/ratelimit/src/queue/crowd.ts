import { requireWhole } from '@sage-adk/core';
import { personOf, type Waiting, type Whose } from './waiting.ts';

export interface CrowdBounds {
  /** Most calls that wait. */
  readonly maxSize: number;
  /** Most of one user. */
  readonly maxPerUser: number;
}

/** All calls that wait, by whose they are. */
export class Crowd {
  readonly #bounds: CrowdBounds;
  /** The calls of each user, the oldest first. */
  readonly #perUser = new Map<string, Set<Waiting>>();
  #size = 0;

  constructor({ maxSize, maxPerUser }: CrowdBounds) {
    requireWhole('maxSize', maxSize, 1);
    requireWhole('maxPerUser', maxPerUser, 1);
    this.#bounds = { maxSize, maxPerUser };
  }

  get size(): number {
    return this.#size;
  }

  add(entry: Waiting): void {
    const person = personOf(entry);
    const calls = this.#perUser.get(person) ?? new Set();
    this.#perUser.set(person, calls.add(entry));
    this.#size++;
  }

  /** Of those that were added, once. */
  remove(entry: Waiting): void {
    const person = personOf(entry);
    const calls = this.#perUser.get(person);
    calls?.delete(entry);
    if (calls?.size === 0) this.#perUser.delete(person);
    this.#size--;
  }

  /** Whether there is room for a call, or it could be made. */
  hasRoom(call: Whose): boolean {
    const own = this.#perUser.get(personOf(call))?.size ?? 0;
    const { maxSize, maxPerUser } = this.#bounds;
    return own < maxPerUser && (this.#size < maxSize || this.#makeRoom(own));
  }

  /** Refuses the newest call of who has the most, if that is not about who comes. */
  #makeRoom(own: number): boolean {
    let most: Set<Waiting> = new Set();
    for (const calls of this.#perUser.values()) if (calls.size > most.size) most = calls;
    const newest = most.size > own + 1 ? [...most].at(-1) : undefined;
    newest?.end({ name: 'refused', denied: newest.denied });
    return newest !== undefined;
  }
}
