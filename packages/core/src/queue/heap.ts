/** A member of a {@link Heap}; it carries its own place, -1 while it is in none. */
export interface HeapMember {
  heapIndex: number;
}

/** A binary heap whose members know their place, so that any of them can leave or move in O(log n). */
export class Heap<M extends HeapMember> {
  readonly #members: M[] = [];
  readonly #precedes: (a: M, b: M) => boolean;

  constructor(precedes: (a: M, b: M) => boolean) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#members.length;
  }

  /** The member that no other precedes. */
  get first(): M | undefined {
    return this.#members[0];
  }

  add(member: M): void {
    this.#members.push(member);
    this.#rise(member, this.#members.length - 1);
  }

  /** Does nothing where the member is in no heap. */
  remove(member: M): void {
    const index = member.heapIndex;
    if (index < 0) return;
    member.heapIndex = -1;
    const last = this.#members.pop();
    if (last !== undefined && last !== member) this.#place(last, index);
  }

  /** Finds the place of a member whose order changed. */
  moved(member: M): void {
    this.#place(member, member.heapIndex);
  }

  clear(): void {
    for (const member of this.#members) member.heapIndex = -1;
    this.#members.length = 0;
  }

  #place(member: M, index: number): void {
    const parent = this.#members[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.#precedes(member, parent)) this.#rise(member, index);
    else this.#sink(member, index);
  }

  #rise(member: M, from: number): void {
    const members = this.#members;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = members[above];
      if (parent === undefined || !this.#precedes(member, parent)) break;
      members[index] = parent;
      parent.heapIndex = index;
      index = above;
    }
    members[index] = member;
    member.heapIndex = index;
  }

  #sink(member: M, from: number): void {
    const members = this.#members;
    let index = from;
    for (let below = 2 * index + 1; below < members.length; below = 2 * index + 1) {
      let child = members[below];
      const sibling = below + 1 < members.length ? members[below + 1] : undefined;
      if (child !== undefined && sibling !== undefined && this.#precedes(sibling, child)) {
        child = sibling;
        below++;
      }
      if (child === undefined || !this.#precedes(child, member)) break;
      members[index] = child;
      child.heapIndex = index;
      index = below;
    }
    members[index] = member;
    member.heapIndex = index;
  }
}
