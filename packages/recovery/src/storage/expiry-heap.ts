/** What ends at some time, earliest first. Members that were replaced meanwhile stay until they come up; `rebuild` drops them. */
export interface Ending {
  readonly endsMs: number;
}

export class ExpiryHeap<E extends Ending> {
  #members: E[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: E): void {
    const members = this.#members;
    let index = members.length;
    members.push(member);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = members[parent];
      if (above === undefined || above.endsMs <= member.endsMs) break;
      members[index] = above;
      members[parent] = member;
      index = parent;
    }
  }

  /** Takes out the earliest member if it ended by `nowMs`. */
  takeEnded(nowMs: number): E | undefined {
    const [first] = this.#members;
    if (first === undefined || first.endsMs > nowMs) return undefined;
    const moved = this.#members.pop();
    if (moved !== undefined && moved !== first) this.#sink(moved);
    return first;
  }

  rebuild(members: Iterable<E>): void {
    // A sorted list is a heap.
    this.#members = [...members].sort((a, b) => a.endsMs - b.endsMs);
  }

  #sink(member: E): void {
    const members = this.#members;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = members[left + 1];
      const child = right !== undefined && right.endsMs < (members[left]?.endsMs ?? 0) ? left + 1 : left;
      const below = members[child];
      if (below === undefined || below.endsMs >= member.endsMs) break;
      members[index] = below;
      index = child;
    }
    members[index] = member;
  }
}
