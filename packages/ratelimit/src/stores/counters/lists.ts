/** Lists of numbers by slot, of even length up to a bound. Lists of about one length lie side by side in one array, with at most a third of it unused. */
export class Lists {
  /** Numbers that a list of each shelf has room for. */
  readonly #rooms: readonly number[];
  readonly #shelves: readonly Shelf[];
  readonly #most: number;
  /** Of each slot. */
  #places = new Uint32Array(16);
  #lengths = new Uint16Array(16);

  /** @param longest numbers of the longest list, at most 65,534 */
  constructor(longest: number, maxKeys: number) {
    this.#rooms = roomsUpTo(longest);
    this.#shelves = this.#rooms.map((room) => new Shelf(room));
    this.#most = maxKeys + 1;
  }

  /** Copies the list of a slot, empty where it has none. */
  read(slot: number, into: number[]): void {
    const length = this.#lengths[slot] ?? 0;
    if (length > 0) this.#shelfOf(length).read(this.#places[slot] ?? 0, length, into);
    // Never emptied first: that would give up its memory, to be allocated again at once.
    if (into.length > length) into.length = length;
  }

  /** The number so far from the end of a slot's list, 1 for the last; undefined where there is none. */
  fromEnd(slot: number, index: number): number | undefined {
    const length = this.#lengths[slot] ?? 0;
    return length < index ? undefined : this.#shelfOf(length).at(this.#places[slot] ?? 0, length - index);
  }

  /** Replaces the list of a slot. */
  write(slot: number, list: readonly number[]): void {
    const { length } = list;
    if (length !== (this.#lengths[slot] ?? 0)) this.#resize(slot, length);
    if (length > 0) this.#shelfOf(length).write(this.#places[slot] ?? 0, list);
  }

  /** A copy of all lists. */
  image(): unknown {
    return Array.from(this.#lengths, (_, slot) => {
      const list: number[] = [];
      this.read(slot, list);
      return list;
    });
  }

  #shelfOf(length: number): Shelf {
    // Two numbers are an entry. Short lists are frequent, and a search among a few rooms is soon over.
    let index = 0;
    while ((this.#rooms[index] ?? length) < length) index++;
    const shelf = this.#shelves[index];
    if (shelf === undefined) throw new RangeError(`no list has ${length} numbers`);
    return shelf;
  }

  #resize(slot: number, length: number): void {
    this.#reach(slot);
    const before = this.#lengths[slot] ?? 0;
    const from = before === 0 ? undefined : this.#shelfOf(before);
    const to = length === 0 ? undefined : this.#shelfOf(length);
    if (from !== to) {
      from?.free(this.#places[slot] ?? 0);
      this.#places[slot] = to?.take() ?? 0;
    }
    this.#lengths[slot] = length;
  }

  #reach(slot: number): void {
    if (slot < this.#lengths.length) return;
    const size = Math.min(Math.max(slot + 1, this.#lengths.length * 2), this.#most);
    const places = new Uint32Array(size);
    places.set(this.#places);
    this.#places = places;
    const lengths = new Uint16Array(size);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}

/** Places of one size in one array. A place that is free tells the next one that is. */
class Shelf {
  readonly #room: number;
  #numbers = new Float64Array(0);
  #used = 0;
  /** One more than the place; 0 for none. */
  #firstFree = 0;

  constructor(room: number) {
    this.#room = room;
  }

  take(): number {
    if (this.#firstFree > 0) {
      const place = this.#firstFree - 1;
      this.#firstFree = this.at(place, 0);
      return place;
    }
    const needed = (this.#used + 1) * this.#room;
    if (needed > this.#numbers.length) {
      const grown = new Float64Array(this.#room * (4 + this.#used + (this.#used >> 1)));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    return this.#used++;
  }

  free(place: number): void {
    this.#numbers[place * this.#room] = this.#firstFree;
    this.#firstFree = place + 1;
  }

  at(place: number, index: number): number {
    return this.#numbers[place * this.#room + index] ?? 0;
  }

  read(place: number, length: number, into: number[]): void {
    const start = place * this.#room;
    for (let index = 0; index < length; index++) into[index] = this.#numbers[start + index] ?? 0;
  }

  write(place: number, list: readonly number[]): void {
    const start = place * this.#room;
    for (let index = 0; index < list.length; index++) this.#numbers[start + index] = list[index] ?? 0;
  }
}

/** 2, 4, 6, 8, 12, 16, 24, 32, 48, ... */
function roomsUpTo(longest: number): readonly number[] {
  const rooms = [2];
  for (let room = 4; room < longest; room *= 2) rooms.push(room, room * 1.5);
  return [...rooms.filter((room) => room < longest), longest];
}
